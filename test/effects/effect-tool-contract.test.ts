// The contract on honest tools of each kind, and on tools that lie: each lie fails the case that is made for it, with the
// promise it breaks.

import { describe, expect, test } from "vitest";
import { z } from "zod";
import { defineTool, type HarnessTool, NotDoneError, type ToolDefinition } from "../../nodes/index.js";
import { type EffectToolOptions, effectToolCases, effectToolContract } from "../contracts/index.js";

const schema = z.object({ to: z.string() });
type Definition = ToolDefinition<typeof schema>;

/** A provider in memory, outside of every life of the tool. */
class Provider {
  sent: string[] = [];
  readonly answers = new Map<string, string>();
  taken: string[] = [];

  send(key: string): string {
    this.sent.push(key);
    return `sent as ${this.sent.length}`;
  }

  /** Keeps its answer with the key. */
  sendOnce(key: string): string {
    const answer = this.answers.get(key) ?? this.send(key);
    this.answers.set(key, answer);
    return answer;
  }
}

let provider = new Provider();

const tool = (definition: Partial<Definition>) => (): HarnessTool =>
  defineTool({
    name: "send",
    description: "Sends.",
    schema,
    source: {},
    run: () => "",
    ...definition,
  }) as unknown as HarnessTool;

const options: EffectToolOptions = {
  args: { to: "a" },
  effects: () => provider.sent.length,
  reset: () => {
    provider = new Provider();
  },
};

const plain: Partial<Definition> = { run: (_args, { idempotencyKey }) => provider.send(idempotencyKey) };
const honest: Partial<Definition> = {
  honoursKey: true,
  run: (_args, { idempotencyKey }) => provider.sendOnce(idempotencyKey),
};
const probed: Partial<Definition> = {
  ...plain,
  probe: (key) => (provider.sent.includes(key) ? "committed" : "failed"),
};

effectToolContract(tool(plain), { ...options, name: "neither key nor probe" });
effectToolContract(tool({ ...honest, effect: "idempotent" }), { ...options, name: "idempotent, honours keys" });
effectToolContract(tool({ ...probed, probe: () => "unknown" }), { ...options, name: "a probe that does not know" });
effectToolContract(tool(probed), { ...options, name: "can be probed" });
effectToolContract(
  tool({
    ...honest,
    effect: "compensable",
    preview: () => ({ shows: "+1", preconditions: 7 }),
    compensate: (_receipt, _args, { idempotencyKey }) => {
      if (!provider.taken.includes(idempotencyKey)) provider.taken.push(idempotencyKey);
    },
    run: ({ to }, { idempotencyKey }) => {
      if (to === "nobody") throw new NotDoneError("no such address");
      return provider.sendOnce(idempotencyKey);
    },
  }),
  {
    ...options,
    name: "honours keys, with preview and compensation",
    refused: { to: "nobody" },
    compensations: () => provider.taken.length,
  },
);

describe("a tool that lies", () => {
  const lies: readonly [
    lie: string,
    caught: string,
    broken: RegExp,
    definition: Partial<Definition>,
    more?: Partial<EffectToolOptions>,
  ][] = [
    [
      "declares honoursKey and repeats",
      "killed after provider, then resumed",
      /declares honoursKey, and the effect happened 2 times under one key/,
      { ...plain, honoursKey: true },
    ],
    [
      "honours keys but answers differently the second time",
      "killed after provider, then resumed",
      /answered the same key differently: sent as 1, then known/,
      {
        honoursKey: true,
        run: (_args, { idempotencyKey }) =>
          provider.sent.includes(idempotencyKey) ? "known" : provider.send(idempotencyKey),
      },
    ],
    [
      "has a probe that always denies",
      "killed after provider, then resumed",
      /probe of send said "failed" about an effect that had happened/,
      { ...plain, probe: () => "failed" },
    ],
    [
      "has a probe that always agrees",
      "killed after dispatch, then resumed",
      /probe of send said "committed" about an effect that had not happened/,
      { ...plain, probe: () => "committed" },
    ],
    [
      "has a probe that knows what nobody sent",
      "its probe changes nothing and tells the truth",
      /says "committed" for a key that nobody sent/,
      { ...plain, probe: () => "committed" },
    ],
    [
      "has a probe that does it",
      "its probe changes nothing and tells the truth",
      /probe of send did the effect/,
      {
        ...plain,
        probe: (key) => {
          provider.send(key);
          return "unknown";
        },
      },
    ],
    [
      "tries again by itself",
      "done once, with a receipt",
      /did its effect 2 times for one call/,
      {
        run: (_args, { idempotencyKey }) => {
          provider.send(idempotencyKey);
          return provider.send(idempotencyKey);
        },
      },
    ],
    [
      "returns a receipt for nothing",
      "done once, with a receipt",
      /returned a receipt and nothing happened/,
      { run: () => "sent" },
    ],
    [
      "reports as failed what happened",
      "done once, with a receipt",
      /reported as failed \(no answer\) although it happened. Throw NotDoneError only when/,
      {
        run: (_args, { idempotencyKey }) => {
          provider.send(idempotencyKey);
          throw new NotDoneError("no answer");
        },
      },
    ],
    [
      "throws after it was done",
      "done once, with a receipt",
      /in doubt although nothing was lost: it ended without a clear outcome \(no answer\).*Return a receipt/,
      {
        run: (_args, { idempotencyKey }) => {
          provider.send(idempotencyKey);
          throw new Error("no answer");
        },
      },
    ],
    [
      "refuses with an error that says nothing",
      "what is refused has not happened",
      /in doubt about what was refused .*Throw NotDoneError/,
      {
        ...plain,
        run: ({ to }, { idempotencyKey }) => {
          if (to === "nobody") throw new Error("no such address");
          return provider.send(idempotencyKey);
        },
      },
      { refused: { to: "nobody" } },
    ],
    [
      "has a preview that does it",
      "a preview changes nothing",
      /preview of send did the effect/,
      { ...honest, preview: () => ({ shows: provider.send("preview") }) },
    ],
    [
      "has preconditions that never hold",
      "a preview changes nothing",
      /preconditions of send change by themselves/,
      { ...honest, preview: () => ({ shows: "", preconditions: provider.taken.push("look") }) },
    ],
    [
      "says it did what was refused",
      "what is refused has not happened",
      /returned a receipt for what was refused. Throw NotDoneError/,
      {
        ...plain,
        run: ({ to }, { idempotencyKey }) => (to === "nobody" ? "no such address" : provider.send(idempotencyKey)),
      },
      { refused: { to: "nobody" } },
    ],
    [
      "takes back more than once",
      "taken back, and its outcome lost",
      /was taken back 2 times/,
      {
        ...honest,
        effect: "compensable",
        compensate: () => {
          provider.taken.push("taken");
        },
      },
      { compensations: () => provider.taken.length },
    ],
  ];

  test.each(lies)(
    "%s: %s",
    async (_, caught, broken, definition, more = {}) => {
      const cases = effectToolCases(tool(definition), { ...options, ...more });
      await expect(cases.find(({ name }) => name === caught)?.run()).rejects.toThrow(broken);
    },
    60_000,
  );
});

test("keys that are kept in the process do not survive it", async () => {
  const forgetful = () => {
    const known = new Map<string, string>();
    return tool({
      honoursKey: true,
      run: (_args, { idempotencyKey }) => {
        const answer = known.get(idempotencyKey) ?? provider.send(idempotencyKey);
        known.set(idempotencyKey, answer);
        return answer;
      },
    })();
  };
  const killed = effectToolCases(forgetful, options).find(({ name }) => name.startsWith("killed after provider"));
  await expect(killed?.run()).rejects.toThrow(/happened 2 times under one key/);
});

test("a tool without an effect has no contract", async () => {
  const [first] = effectToolCases(tool({ effect: "none" }), options);
  await expect(first?.run()).rejects.toThrow(/send declares effect "none" and has no contract/);
});
