// The contract of a graph's gate: nothing irreversible runs around it, below its floor, without the person who was asked,
// or in another form than was approved; and nobody who merely calls the graph can switch it off.

import { describe, test } from "vitest";
import { HarnessTool, isGated } from "../../nodes/index.js";
import { broken, type ContractCase } from "./broken-promise.js";
import { answering, callOf, type HarnessedGraph, harnessIn, Play } from "./play.js";

/** What a gate's contract needs: one action of the graph that has to pass the gate, and a way to count it. */
export interface GateOptions {
  /** Name of a compensable or irreversible tool in the graph's toolbox. */
  readonly tool: string;
  /** Arguments with which it works, several times if need be: every case does it once or twice. */
  readonly args: Readonly<Record<string, unknown>>;
  /** Other arguments that the tool takes. They must never come through. */
  readonly changed: Readonly<Record<string, unknown>>;
  /** How often the tool's effect has happened, counted at the provider. */
  effects(): number | Promise<number>;
  /** Before each case. Default: nothing. */
  reset?(): void | Promise<void>;
  /** The node that calls the model. Default `planner`. */
  readonly planner?: string;
  /** Heading of the suite. Default `gate`. */
  readonly name?: string;
}

/** A thread of its own for one case, and what happened since it began. */
interface Scene {
  readonly play: Play;
  count(): Promise<number>;
}

const CASE_MS = 60_000;

/** The cases of a gate's contract. @throws TypeError for a graph that is none of ours. */
export function gateCases(graph: HarnessedGraph, options: GateOptions): readonly ContractCase[] {
  const { tool, args, changed, effects, reset, planner = "planner" } = options;
  const gated = harnessIn(graph).toolbox.tools.filter((each) => each instanceof HarnessTool && isGated(each.effect));
  if (!gated.some(({ name }) => name === tool)) {
    throw new TypeError(
      `${tool} is no gated tool of this graph. There are: ${gated.map(({ name }) => name).join(", ")}.`,
    );
  }
  const scene = (name: string, body: (scene: Scene) => Promise<void>): ContractCase => ({
    name,
    async run() {
      await reset?.();
      const before = await effects();
      const play = new Play(graph, planner);
      await play.begin();
      await body({ play, count: async () => (await effects()) - before });
    },
  });
  /** The planner does it for the first time, with a person's approval where the policy wants one. */
  const once = async ({ play, count }: Scene): Promise<void> => {
    await play.say(callOf(tool, args));
    const asked = await play.go();
    if (asked !== undefined) await play.go(answering(asked, "approve"));
    const times = await count();
    if (times !== 1)
      broken(
        `${tool} was called by the planner and happened ${times} times. Is \`args\` valid, and does \`effects\` count it?`,
      );
  };
  /** The planner asks for it again: whatever the policy, a person is asked. */
  const askedAgain = async (scene: Scene) => {
    await once(scene);
    const { play, count } = scene;
    const message = callOf(tool, args);
    await play.say(message);
    const asked = await play.go();
    if ((await count()) > 1) broken(`${tool} was repeated under another call and nobody was asked`);
    return { message, asked: asked ?? broken(`the repetition of ${tool} was refused without asking anybody`) };
  };
  const anonymous = async ({ play, count }: Scene, extra: object = {}): Promise<void> => {
    await play.write([callOf(tool, args)]);
    await play.go(null, extra);
    if ((await count()) > 0) broken(`${tool} ran although nobody vouched for the call`);
    const verdicts = (await play.events()).flatMap((event) => (event.kind === "gate.decision" ? [event.verdict] : []));
    if (verdicts.length === 0)
      broken(`the gate was not asked about ${tool}: is \`planner\` the node that calls the model?`);
    if (verdicts.includes("allow")) broken(`the gate allowed ${tool} although nobody vouched for the call`);
  };

  return [
    ...gated.map(
      (each): ContractCase => ({
        name: `${each.name} refuses to be called around the gate`,
        run: () => direct(each as HarnessTool),
      }),
    ),
    scene("what the planner calls passes the gate and happens once", once),
    scene("what nobody vouched for does not run, and is in the record", (each) => anonymous(each)),
    ...SWITCHES.map((name) =>
      scene(`its caller cannot switch it off: ${name}`, (each) => anonymous(each, switchedOff(name, tool))),
    ),
    scene("a repetition that is rejected does not run", async (each) => {
      const { asked } = await askedAgain(each);
      await each.play.go(answering(asked, "reject"));
      if ((await each.count()) !== 1) broken(`${tool} ran although it was rejected`);
    }),
    scene("a repetition that nobody answers does not run", async (each) => {
      await askedAgain(each);
      await each.play.go().catch(() => undefined);
      if ((await each.count()) !== 1) broken(`${tool} ran although nobody answered`);
    }),
    scene("what is approved and then changed does not run", async (each) => {
      const { asked, message } = await askedAgain(each);
      const other = callOf(tool, changed, message.id ?? "");
      await each.play.go(answering(asked, "approve", { messages: [other] }));
      if ((await each.count()) !== 1) broken(`${tool} was approved with some arguments and ran with others`);
    }),
    scene("an approval is used once", async (each) => {
      const { asked } = await askedAgain(each);
      await each.play.go(answering(asked, "approve"));
      const used = await each.count();
      await each.play.say(callOf(tool, args));
      await each.play.go(answering(asked, "approve")).catch(() => undefined);
      if ((await each.count()) !== used) broken(`one approval of ${tool} let it run twice`);
    }),
  ];
}

/** Registers the whole contract with vitest. Call it at the top level of a test file. */
export function gateContract(graph: HarnessedGraph, options: GateOptions): void {
  describe(options.name ?? "gate", () => {
    for (const { name, run } of gateCases(graph, options)) test(name, run, CASE_MS);
  });
}

/** Without a permit, and with one that somebody made up. */
async function direct(tool: HarnessTool): Promise<void> {
  const context = { idempotencyKey: "contract", signal: new AbortController().signal, config: {} };
  for (const permit of [undefined, { key: "contract", action: tool.digest }]) {
    try {
      await tool.execute({}, { ...context, permit });
    } catch (error) {
      if ((error as { code?: unknown }).code === "PERMIT_REQUIRED") continue;
      throw error;
    }
    broken(`${tool.name} ran without a permit from the gate. Do not override \`execute\`.`);
  }
}

const SWITCHES = ["configurable", "context", "metadata"] as const;

/** What callers of other frameworks switch approvals off with. */
function switchedOff(where: (typeof SWITCHES)[number], tool: string): object {
  const off = {
    interruptOn: { [tool]: false },
    interrupt_on: { [tool]: false },
    policy: { name: "off", floor: 0 },
    gate: false,
    approve: "all",
    auto_approve: true,
    cleared: [{ callId: "call", key: "key" }],
    trust: { integrity: 3, fidelity: 3, currency: 3, certainty: 3 },
  };
  return { [where]: off };
}
