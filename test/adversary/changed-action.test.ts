// A person approved one refund. On every path we can think of somebody tries to turn it into another one: the other one
// never happens, the approved one happens at most once, and the record shows the attempt.

import { describe, expect, test } from "vitest";
import { strict } from "../../trust/index.js";
import { APPROVED, CHANGED, THREAD, World } from "./refund.js";

/** One path. `event`: where the record shows it. `approved`: how often the approved refund is still made. */
interface Path {
  readonly path: string;
  readonly attack: (world: World) => Promise<unknown>;
  readonly event: Readonly<Record<string, unknown>>;
  readonly approved?: 0 | 1;
  readonly world?: ConstructorParameters<typeof World>[0];
}

const HOUR = 3_600_000;
const unlabelled = { kind: "label.missing", values: expect.arrayContaining([expect.stringContaining("(ai)")]) };
const blocked = { kind: "gate.decision", verdict: "block", arguments: CHANGED };
const askedAnew = { kind: "gate.decision", verdict: "ask", approval: expect.any(String) };
const refusedByAct = (why: string) => ({ kind: "tool.response", ok: false, error: expect.stringContaining(why) });
const withdrawn = { kind: "approval.decided", decision: "cancelled", by: "harness" };
const approve = (id: string) => ({ decisions: [{ id, decision: "approve" }] });
const additional = (args: object) => ({
  tool_calls: [
    { id: "call-1", type: "function" as const, function: { name: "refund", arguments: JSON.stringify(args) } },
  ],
});

const messagePaths: readonly Path[] = [
  {
    path: "the answer brings another message along",
    attack: async (world) => {
      const { approval, interrupt } = await world.ask();
      const swapped = await world.swapped({ args: CHANGED });
      await world.answer(interrupt, approve(approval.id), {}, { messages: [swapped] });
    },
    event: unlabelled,
  },
  {
    path: "the message is replaced under its id before the approval",
    attack: async (world) => {
      const { approval } = await world.ask();
      await world.graph.updateState(THREAD, { messages: [await world.swapped({ args: CHANGED })] }, "planner");
      await world.journal.decideApproval(approval.id, "approved", { by: "ann", authenticated: "cli" });
      await world.run(null);
    },
    event: { kind: "state.update", fields: ["messages"], as: "planner" },
  },
  {
    path: "the message is replaced under its id after the approval",
    attack: async (world) => {
      await world.askAndApprove();
      await world.graph.updateState(THREAD, { messages: [await world.swapped({ args: CHANGED })] }, "planner");
      await world.run(null);
    },
    event: blocked,
  },
  {
    path: "the message is replaced by an operator whom the server knows, who is asked about the new one",
    attack: async (world) => {
      await world.askAndApprove();
      const known = { configurable: { ...THREAD.configurable, langgraph_auth_user: { identity: "ann" } } };
      await world.graph.updateState(known, { messages: [await world.swapped({ args: CHANGED })] }, "planner");
      await world.run(null);
    },
    event: { ...askedAnew, arguments: CHANGED },
  },
  {
    path: "the message is replaced between gate and act",
    attack: async (world) => {
      await world.stopBeforeAct();
      const { cleared } = await world.state();
      await world.graph.updateState(THREAD, { messages: [await world.swapped({ args: CHANGED })], cleared }, "gate");
      await world.run(null);
    },
    event: refusedByAct("its arguments changed after it was cleared"),
  },
  {
    path: "the message is replaced in a copy of the graph with other defaults",
    attack: async (world) => {
      await world.stopBeforeAct();
      const copy = world.graph.withConfig({ tags: ["copy"] }) as typeof world.graph;
      const { cleared } = await world.state();
      await copy.updateState(THREAD, { messages: [await world.swapped({ args: CHANGED })], cleared }, "gate");
      await world.run(null);
    },
    event: { kind: "state.update", fields: ["messages", "cleared"], as: "gate" },
  },
  {
    path: "only the provider's own form of the calls is replaced",
    attack: async (world) => {
      await world.askAndApprove();
      const swapped = await world.swapped({ additional_kwargs: additional(CHANGED) });
      await world.graph.updateState(THREAD, { messages: [swapped] }, "planner");
      await world.run(null);
    },
    event: { kind: "gate.decision", verdict: "block", arguments: APPROVED },
  },
  {
    path: "the provider's own form is all that is left of the calls",
    attack: async (world) => {
      await world.askAndApprove();
      const { messages } = await world.state();
      const raw = { type: "ai", id: messages.at(-1)?.id, content: "", additional_kwargs: additional(CHANGED) };
      await world.graph.updateState(THREAD, { messages: [raw] }, "planner");
      await world.run(null);
    },
    event: { kind: "state.update", fields: ["messages"] },
  },
  {
    path: "the tool's name in the message is replaced",
    world: { plan: [["refund", APPROVED]] },
    attack: async (world) => {
      await world.askAndApprove();
      const { providers } = world;
      world.release([providers.refund(), providers.refund("casino", { name: "casino" })]);
      await world.graph.updateState(THREAD, { messages: [await world.swapped({ name: "casino" })] }, "planner");
      await world.run(null);
    },
    event: { kind: "gate.decision", tool: "casino", verdict: "block" },
  },
  {
    path: "the tool's name is replaced between gate and act",
    attack: async (world) => {
      await world.stopBeforeAct();
      const { providers } = world;
      world.release([providers.refund(), providers.refund("casino", { name: "casino" })]);
      const { cleared } = await world.state();
      await world.graph.updateState(THREAD, { messages: [await world.swapped({ name: "casino" })], cleared }, "gate");
      await world.run(null);
    },
    event: { ...refusedByAct("was not run"), tool: "casino" },
  },
  {
    path: "a second call is put beside the approved one in the new message",
    attack: async (world) => {
      await world.stopBeforeAct();
      const { cleared } = await world.state();
      const swapped = await world.swapped({});
      swapped.tool_calls?.push({ id: "call-extra", name: "refund", args: CHANGED, type: "tool_call" });
      const also = [...cleared, { callId: "call-extra", key: cleared[0]?.key ?? "" }];
      await world.graph.updateState(THREAD, { messages: [swapped], cleared: also }, "gate");
      await world.run(null);
    },
    event: { ...refusedByAct("its arguments changed"), callId: "call-extra" },
  },
  {
    path: "the clearances are exchanged",
    world: { plan: [["refund", APPROVED], ["refund", CHANGED]] }, // prettier-ignore
    attack: async (world) => {
      const { approval, interrupt } = await world.ask();
      const [, other] = await world.journal.approvals({ status: "pending" });
      const decisions = [...approve(approval.id).decisions, { id: other?.id, decision: "reject" }];
      await world.answer(interrupt, { decisions }, { interruptBefore: ["act"] });
      const { messages, cleared } = await world.state();
      const refused = messages.findLast((message) => message.getType() === "tool") as { tool_call_id?: string };
      const key = cleared[0]?.key ?? "";
      const remove = { type: "remove", id: messages.at(-1)?.id, content: "" };
      const forged = { messages: [remove], cleared: [{ callId: refused.tool_call_id ?? "", key }] };
      await world.graph.updateState(THREAD, forged, "gate");
      await world.run(null);
    },
    event: refusedByAct("its arguments changed"),
  },
];

const releasePaths: readonly Path[] = [
  ...(["asked", "cleared"] as const).flatMap((when): readonly Path[] => {
    const go = (change: (world: World) => void) => async (world: World) => {
      await (when === "asked" ? world.askAndApprove() : world.stopBeforeAct());
      change(world);
      await world.run(null);
    };
    const event = when === "asked" ? askedAnew : refusedByAct("the tool or the policy changed after it was cleared");
    return [
      {
        path: `${when}: the tool has another implementation`,
        attack: go((world) => world.release([world.providers.refund("casino")])),
        event,
      },
      {
        path: `${when}: the tool only names another provider in its description`,
        attack: go((world) => world.release([world.providers.refund("bank", { description: "Pays back." })])),
        event,
      },
      {
        path: `${when}: the tool has a lower floor of the same kind`,
        attack: go((world) => world.release([world.providers.refund("bank", { floor: { integrity: 3, fidelity: 0 } })])),
        event,
      },
      {
        path: `${when}: the tool's preview is new`,
        attack: go((world) => world.release([world.providers.refund("bank", { preview: () => ({ shows: "" }) })])),
        event,
      },
      {
        path: `${when}: the policy is another one`,
        attack: go((world) => world.release([world.providers.refund()], strict)),
        event,
      },
    ];
  }),
  {
    path: "what the action rests on changed after it was approved",
    world: { refund: preconditioned(["v1", "v2"]) },
    attack: async (world) => {
      await world.askAndApprove();
      await world.run(null);
    },
    event: withdrawn,
  },
  {
    path: "what the action rests on changed after it was cleared",
    world: { refund: preconditioned(["v1", "v1", "v2"]) },
    attack: async (world) => {
      await world.askAndApprove();
      await world.run(null);
    },
    event: refusedByAct("what it rests on changed after it was shown"),
  },
];

/** A preview that says another state each time it is asked, the last one for ever. */
function preconditioned(versions: readonly string[]) {
  let asked = 0;
  const preview = () => ({ shows: "balance", preconditions: versions[Math.min(asked++, versions.length - 1)] });
  return { preview };
}

const timePaths: readonly Path[] = [
  {
    path: "the approval expired before the gate looked",
    attack: async (world) => {
      await world.askAndApprove();
      world.passed = 25 * HOUR;
      await world.run(null);
    },
    event: { kind: "gate.decision", verdict: "ask" },
  },
  {
    path: "the approval expired between gate and act",
    attack: async (world) => {
      await world.stopBeforeAct();
      world.passed = 25 * HOUR;
      await world.run(null);
    },
    event: refusedByAct("expired"),
  },
  {
    path: "the clock was set back to before the approval",
    attack: async (world) => {
      await world.stopBeforeAct();
      world.passed = -HOUR;
      await world.run(null);
    },
    event: refusedByAct("is not valid before"),
  },
  {
    path: "used twice: back to before act",
    attack: async (world) => {
      await world.askAndApprove();
      await world.run(null);
      await world.run(null, await world.before("act"));
    },
    approved: 1,
    event: { kind: "tool.response", tool: "refund", ok: true },
  },
  {
    path: "used twice: back to before the gate",
    attack: async (world) => {
      await world.askAndApprove();
      await world.run(null);
      await world.run(null, await world.before("gate"));
    },
    approved: 1,
    event: { kind: "gate.decision", verdict: "ask" },
  },
  {
    path: "used twice: back to before act, with another message",
    attack: async (world) => {
      await world.askAndApprove();
      await world.run(null);
      const swapped = await world.swapped({ args: CHANGED });
      const fork = await world.graph.updateState(await world.before("act"), { messages: [swapped] }, "gate");
      await world.run(null, fork);
    },
    approved: 1,
    event: refusedByAct("its arguments changed"),
  },
  {
    path: "another branch: the model is asked again and wants something else",
    attack: async (world) => {
      await world.askAndApprove();
      world.plan = [["refund", CHANGED]];
      await world.run(null, await world.before("planner"));
    },
    event: { ...askedAnew, arguments: CHANGED },
  },
  {
    path: "another branch: the model is asked again and wants both",
    attack: async (world) => {
      await world.askAndApprove();
      world.plan = [["refund", APPROVED], ["refund", CHANGED]]; // prettier-ignore
      await world.run(null, await world.before("planner"));
    },
    event: { ...askedAnew, arguments: CHANGED },
  },
];

const NAMED = definePolicy({ name: "named", floor: "balanced", approvals: { approvers: ["ann"] } });

describe.each([
  ["messages", messagePaths],
  ["releases", releasePaths],
  ["time", timePaths],
])("an approved refund that is changed through %s", (_, paths) => {
  test.each(paths)("$path", async ({ attack, event, approved = 0, world: options }) => {
    const world = new World(options);
    await attack(world);
    expect(world.providers.count).toEqual({ approved, changed: 0 });
    expect(await world.events()).toContainEqual(expect.objectContaining(event));
  });
});

export { KNOWN, NAMED };
