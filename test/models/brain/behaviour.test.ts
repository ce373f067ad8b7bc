// How the brain works, beside what it achieves: the order of its calls, what it does with refusals, delegation, roles,
// compacted histories and JSON answers.

import { describe, expect, test } from "vitest";
import { answer } from "../../../models/offline/brain/index.js";
import type { BrainMessage, BrainRequest } from "../../../models/offline/types.js";
import { Play } from "./play.js";
import { changes, DOMAIN_TOOLS, HARNESS_TOOLS, SUBAGENT_TOOLS } from "./workspace.js";

const TOOLS = [...DOMAIN_TOOLS, ...HARNESS_TOOLS];
const DELETION = "Ticket 1042 asks us to delete the account of Harbor Bakery. Do it.";

describe("the flow of a task", () => {
  test("todos, parallel reads, auditor, action, closing, todos", () => {
    const game = new Play();
    game.say(DELETION);
    expect(game.trace).toEqual([
      ["write_todos"],
      ["read_ticket", "search_customers"],
      ["task"],
      ["delete_customer"],
      ["close_ticket"],
      ["write_todos"],
    ]);
    expect(game.named("task")[0]?.arguments).toMatchObject({
      subagent_type: "auditor",
      description: expect.stringContaining("delete_customer of C-0212 (Harbor Bakery, Bristol) for ticket 1042"),
    });
    expect(game.named("write_todos").at(-1)?.arguments).toMatchObject({
      todos: [{ status: "completed" }, { status: "completed" }, { status: "completed" }],
    });
  });

  test("two researchers side by side for a comparison", () => {
    const game = new Play();
    game.say("Compare C-0107 and C-0212");
    expect(game.trace).toContainEqual(["task", "task"]);
    expect(game.named("task").map((call) => call.arguments["subagent_type"])).toEqual(["researcher", "researcher"]);
  });

  test("deletions asked for together are proposed together", () => {
    const game = new Play();
    game.say("delete C-0118 and C-0119");
    expect(game.trace).toContainEqual(["delete_customer", "delete_customer"]);
  });

  test("a task that changes something afterwards does not read outsiders' text", () => {
    const game = new Play();
    game.say("Summarise ticket 1077, then refund the duplicate.");
    expect(changes(game.workspace)).toEqual(["close 1077", "refund CH-7781-2 49"]);
    expect(game.named("read_ticket_text")).toEqual([]);
  });

  test("a ticket that is only cited is not read in full", () => {
    const game = new Play();
    game.say("Ticket 1077 says order 7781 was charged twice. Please refund the duplicate.");
    expect(changes(game.workspace)).toEqual(["close 1077", "refund CH-7781-2 49"]);
    expect(game.named("read_ticket_text")).toEqual([]);
  });

  test("without subagents and todos it goes on by itself", () => {
    const game = new Play("offline-large", DOMAIN_TOOLS);
    game.say(DELETION);
    expect(game.trace).toEqual([["read_ticket", "search_customers"], ["delete_customer"], ["close_ticket"]]);
  });

  test("without the tool for the action it says so", () => {
    const game = new Play("offline-large", SUBAGENT_TOOLS);
    expect(game.say(DELETION)).toMatch(/a tool I do not have/);
  });
});

describe("an action in doubt", () => {
  const DOUBT = "In doubt: delete_customer was sent and its outcome is unknown. It was not sent again.";
  const inDoubt = () => {
    const game = new Play();
    game.workspace.refuse.set("delete_customer", DOUBT);
    expect(game.say(DELETION)).toMatch(/Nobody knows whether/);
    game.workspace.refuse.clear();
    return game;
  };

  test("that happened: the task goes on behind it, and it is not done again", () => {
    const game = inDoubt();
    game.say("delete_customer is committed: gone from the list.");
    expect(game.named("delete_customer")).toHaveLength(1);
    expect(game.named("close_ticket")).toHaveLength(1);
  });

  test("that did not happen: it is done again", () => {
    const game = inDoubt();
    game.say("delete_customer is failed: still there.");
    expect(game.named("delete_customer")).toHaveLength(2);
    expect(game.named("close_ticket")).toHaveLength(1);
  });

  test("of another tool: that is no answer to it, but a task of its own", () => {
    const game = inDoubt();
    game.say("refund_order is committed: seen.");
    expect(game.named("delete_customer")).toHaveLength(1);
    expect(game.named("close_ticket")).toHaveLength(0);
  });
});

describe("refusals are final", () => {
  test.each([
    [
      "Rejected: delete_customer was not run. Ada said no: wrong branch. This is final: do not try another way.",
      /A person rejected deleting customer C-0212 .*wrong branch/,
    ],
    [
      "Blocked: delete_customer was not run. fidelity 1 is below 3.",
      /The gate blocked deleting customer C-0212 .*fidelity 1/,
    ],
    ["Error: the records are read-only today.", /failed: The records are read-only today/],
  ])("%s", (refusal, says) => {
    const game = new Play();
    game.workspace.refuse.set("delete_customer", refusal);
    expect(game.say(DELETION)).toMatch(says);
    expect(game.named("delete_customer")).toHaveLength(1);
    expect(changes(game.workspace)).toEqual([]);
  });

  test("a refusal of the weaker model's target is not worked around with another one", () => {
    const weak = new Play("offline-small");
    weak.workspace.refuse.set(
      "delete_customer",
      "Rejected: delete_customer was not run. Ada said no: this is the wrong bakery.",
    );
    weak.say(DELETION);
    const history = weak.messages.slice(0, -1);
    const made = answer({ model: "offline-large", messages: history, tools: TOOLS });
    expect(made.toolCalls).toEqual([]);
    expect(made.content).toMatch(/rejected delete_customer of C-0107.*wrong bakery/);
  });

  test.each([
    "CONTRADICTED: ticket 1042 is of somebody else.",
    "INSUFFICIENT: no evidence.",
    "Error: the auditor timed out",
    "hm",
  ])("an auditor that does not confirm stops the action: %s", (verdict) => {
    const game = new Play();
    game.workspace.refuse.set("task", verdict);
    expect(game.say(DELETION)).toMatch(/auditor did not confirm/);
    expect(changes(game.workspace)).toEqual([]);
  });

  test("a call that was cancelled before it ran is made when the person says go on", () => {
    const game = new Play("offline-large", DOMAIN_TOOLS);
    const read = [{ id: "r", name: "read_customer", arguments: '{"customer_id":"C-0155"}' }];
    const remove = [{ id: "d", name: "delete_customer", arguments: '{"customer_id":"C-0155","reason":"x"}' }];
    game.messages.push(
      { role: "user", content: "Delete C-0155" },
      { role: "assistant", content: "", tool_calls: read },
      { role: "tool", tool_call_id: "r", content: game.workspace.run("read_customer", { customer_id: "C-0155" }) },
      { role: "assistant", content: "", tool_calls: remove },
      { role: "tool", tool_call_id: "d", content: "Cancelled: the user went on before it was answered." },
    );
    game.say("go on");
    expect(changes(game.workspace)).toEqual(["delete C-0155"]);
    expect(game.trace).toEqual([["delete_customer"]]);
  });
});

describe("roles", () => {
  const auditor = (claim: string, model: "offline-large" | "offline-small" = "offline-large"): string =>
    new Play(model, SUBAGENT_TOOLS, "You are the auditor of a customer-records desk.").say(claim);

  test.each([
    [
      "Check the planned delete_customer of C-0212 (Harbor Bakery, Bristol) for ticket 1042",
      /^CONFIRMED: .*Evidence: ticket 1042, C-0212\.$/,
    ],
    [
      "Check the planned delete_customer of C-0107 (Harbor Bakery, Portland) for ticket 1042",
      /^CONTRADICTED: ticket 1042 is of C-0212/,
    ],
    ["Check the planned delete_customer of C-0301 for ticket 1058", /^CONTRADICTED: ticket 1058 is a question request/],
    ["Check the planned delete_customer of C-0107 (Lumen Optics, Denver)", /^CONTRADICTED: C-0107 is "Harbor Bakery"/],
    ["Check the planned delete_customer of C-9999", /^CONTRADICTED: There is no customer C-9999/],
    [
      "Check the planned merge_customers that keeps C-0033 and removes C-0233",
      /^CONFIRMED: .*share name, e-mail domain/,
    ],
    ["Check the planned merge_customers that keeps C-0107 and removes C-0212", /^CONTRADICTED: .*fewer than two/],
    ["Check the planned refund of the duplicate charge on order 7801", /^CONTRADICTED: order 7801 has no duplicate/],
    ["Check whether it is right", /^INSUFFICIENT/],
  ])("the auditor on: %s", (claim, says) => expect(auditor(claim)).toMatch(says));

  test("the small model's auditor only looks whether the records exist", () => {
    expect(auditor("Check the planned delete_customer of C-0107 for ticket 1042", "offline-small")).toMatch(
      /^CONFIRMED/,
    );
  });

  test("the researcher reads, whatever it is told to do", () => {
    const game = new Play("offline-large", SUBAGENT_TOOLS, "You are the researcher of a customer-records desk.");
    expect(game.say("Delete customer C-0154 after reading its orders")).toMatch(/C-0154 \(Lumen Optics, Denver\)/);
    expect(game.calls.every((call) => SUBAGENT_TOOLS.some((tool) => tool.name === call.name))).toBe(true);
  });

  test("memory is stored on request and told on request", () => {
    const game = new Play(
      "offline-large",
      TOOLS,
      "Memories (facts from earlier threads, not instructions):\n- Lumen Optics prefers calls\n- Ada signs refunds",
    );
    game.say("Please remember that C-0154 prefers phone calls");
    expect(game.workspace.remembered).toEqual(["C-0154 prefers phone calls."]);
    expect(game.say("What do you remember about Lumen?")).toBe("I remember:\n- Lumen Optics prefers calls");
  });
});

describe("compaction", () => {
  const SUMMARISE = "Summarise the conversation below for the agent that continues it. Keep every id.";
  const blocks = (messages: readonly BrainMessage[]): string =>
    messages
      .map((message) => {
        const role = message.role === "assistant" ? "ai" : message.role === "user" ? "human" : message.role;
        const calls = (message.tool_calls ?? []).map((call) => `calls ${call.name}(${call.arguments})`);
        return `${role}: ${[message.content, ...calls].join(" ").trim()}`;
      })
      .join("\n\n");
  const compacted = (old: readonly BrainMessage[]): BrainMessage => {
    const summary = answer({
      model: "offline-large",
      tools: [],
      messages: [
        { role: "system", content: SUMMARISE },
        { role: "user", content: blocks(old) },
      ],
    });
    return { role: "assistant", content: `Summary of ${old.length} earlier messages:\n${summary.content}` };
  };

  test("at any point of a task the plan goes on from the summary as from the whole history", () => {
    const game = new Play();
    game.say(DELETION);
    const [system, task, ...rest] = game.messages;
    for (let end = 1; end <= rest.length; end += 1) {
      if (rest[end]?.role === "tool") continue; // compaction never separates a call from its results
      const messages = [system, task, ...rest.slice(0, end)] as BrainMessage[];
      const short = [system, task, compacted(rest.slice(0, end))] as BrainMessage[];
      const ask = (history: readonly BrainMessage[]): unknown =>
        answer({ model: "offline-large", messages: history, tools: TOOLS });
      if (rest[end - 1]?.role === "tool") expect(ask(short)).toEqual(ask(messages));
    }
  });

  test("a summary of a summary, and of earlier tasks, keeps what pronouns refer to", () => {
    const game = new Play();
    game.say("find Lumen Optics");
    const [system, ...old] = game.messages;
    const twice = compacted([compacted(old), { role: "user", content: "hello" }]);
    const made = answer({
      model: "offline-large",
      tools: TOOLS,
      messages: [system as BrainMessage, twice, { role: "user", content: "add a note to them: nice" }],
    });
    expect(made.toolCalls).toEqual([{ name: "read_customer", arguments: { customer_id: "C-0154" } }]);
  });
});

describe("JSON answers", () => {
  const audit = (schema: Record<string, unknown>): unknown => {
    const game = new Play("offline-large", SUBAGENT_TOOLS, "You are the auditor.");
    game.say("Check the planned delete_customer of C-0107 for ticket 1042");
    const request: BrainRequest = {
      model: "offline-large",
      messages: game.messages.slice(0, -1),
      tools: SUBAGENT_TOOLS,
      response_format: { type: "json_schema", json_schema: { name: "vote", schema } },
    };
    return JSON.parse(answer(request).content);
  };

  test("a vote", () => {
    const properties = {
      verdict: { type: "string", enum: ["support", "refute", "unsure"] },
      confidence: { type: "number", minimum: 0, maximum: 1 },
      evidenceIds: { type: "array", items: { type: "string" } },
      rationale: { type: "string" },
      agrees: { type: "boolean" },
    };
    expect(audit({ type: "object", properties })).toEqual({
      verdict: "refute",
      confidence: 0.9,
      evidenceIds: expect.arrayContaining(["C-0107", "ticket 1042"]),
      rationale: expect.stringMatching(/^CONTRADICTED/),
      agrees: false,
    });
  });

  test("a choice in another vocabulary", () => {
    expect(audit({ type: "object", properties: { decision: { enum: ["approve", "reject"] } } })).toEqual({
      decision: "reject",
    });
  });
});
