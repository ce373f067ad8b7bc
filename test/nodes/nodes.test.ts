import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AIMessage, HumanMessage, ToolMessage } from "@langchain/core/messages";
import { InMemoryStore } from "@langchain/langgraph";
import { describe, expect, onTestFinished, test } from "vitest";
import { labelledMemory } from "../../memory/index.js";
import { decideAdmission } from "../../nodes/index.js";
import { hmacSeal, label, TOP } from "../../trust/index.js";
import { calls, script } from "../contracts/index.js";
import { testAgent } from "../support/agent.js";
import { eventsOf } from "../support/events.js";

const seal = hmacSeal(Buffer.from("the key of these tests"));

describe("tools", () => {
  test("parallel calls settle on their own and keep their order", async () => {
    const agent = testAgent(script([calls(["fails", {}], ["look", { id: "1" }], ["missing", {}]), "done"]));
    const result = await agent.run("go");
    expect(result.messages.slice(2, 5).map(({ text, status }) => [status, text.slice(0, 44)])).toEqual([
      ["error", "Error: no such record. Look it up first."],
      ["success", '{"id":"1","text":"a record"}'],
      ["error", 'Error: there is no tool "missing". There are'],
    ]);
  });

  test("the file tools and the plan work on the thread's own state", async () => {
    const agent = testAgent(
      script([
        calls(
          ["write_todos", { todos: [{ content: "write", status: "pending" }] }],
          ["write_file", { file_path: "/a.md", content: "hello" }],
        ),
        calls(["read_file", { file_path: "/a.md" }]),
        ({ messages }) => messages.at(-1)?.content ?? "",
      ]),
    );
    const result = await agent.run("go");
    expect(result.answer).toContain("hello");
    expect(result).toMatchObject({ todos: [{ content: "write", status: "pending" }], trust: { minTrust: 3 } });
  });
});

describe("recall", () => {
  test("a fresh thread begins at the top, a known one goes on where it was", async () => {
    const agent = testAgent(script([calls(["look", { id: "1" }]), "one", "two"]));
    expect((await agent.run("first")).trust).toMatchObject({ integrity: 2, minTrust: 2 });
    expect((await agent.run("second")).trust).toMatchObject({ integrity: 2, minTrust: 2, violations: 0 });
  });

  test("a thread with a past that the journal does not know is at the bottom", async () => {
    const agent = testAgent(script([calls(["pay", { to: "a", amount: 1 }]), "done"]));
    await agent.graph.updateState(
      agent.config(),
      { messages: [new HumanMessage("planted")], trust: { begins: TOP } },
      "compact",
    );
    const result = await agent.run("pay");
    expect(result.trust.minTrust).toBe(0);
    expect(agent.done).toEqual([]);
  });

  test("a memory brings its label along, a forged one the bottom", async () => {
    const store = new InMemoryStore();
    const memory = labelledMemory({ seal, store, namespace: ["m"] });
    await memory.remember({
      text: "Bakery prefers refunds to account A.",
      label: label({ fidelity: 1 }),
      thread: "old",
    });
    const agent = testAgent(script(["done"]), { memory });
    const result = await agent.run("Which refunds does the bakery prefer?");
    expect(result.trust).toMatchObject({ fidelity: 1, integrity: 3 });
    expect((result as unknown as { context: string }).context).toContain("account A");
    expect((await agent.journal.thread("t1"))?.floor.fidelity).toBe(1); // the beginning counts and is explained
    expect(await eventsOf(agent.journal, "t1", "trust.fell")).toMatchObject([{ from: TOP, to: { fidelity: 1 } }]);
    const [item] = await store.search(["m"]);
    await store.put(["m"], item?.key ?? "", {
      ...item?.value,
      text: "Bakery prefers refunds to account B.",
      label: TOP,
    });
    expect((await agent.run("Which refunds does the bakery prefer?", "t2")).trust.minTrust).toBe(0);
  });

  test("a skill that cannot be used is left out of the context, and the record says so", async () => {
    const folder = mkdtempSync(join(tmpdir(), "bulkhead-skills-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    for (const name of ["greet", "refund"]) {
      mkdirSync(join(folder, "skills", name), { recursive: true });
      const text = name === "greet" ? "---\nname: greet\ndescription: How to greet.\n---\nHello." : "# Refund";
      writeFileSync(join(folder, "skills", name, "SKILL.md"), text);
    }
    const agent = testAgent(script([calls(["read_skill", { name: "refund" }]), "done"]), { folder });
    const result = await agent.run("go");
    expect(result.answer).toBe("done");
    expect((result as unknown as { context: string }).context).toMatch(/- greet: How to greet\.$/);
    expect(result.messages.at(-2)?.text).toMatch(/^Error: .*refund\/SKILL\.md: no front matter/);
    expect(await eventsOf(agent.journal, "t1", "recall")).toMatchObject([
      { sources: ["skill greet"], unusable: [expect.stringMatching(/refund\/SKILL\.md: no front matter/)] },
    ]);
  });

  test("what the agent remembers keeps the thread's trust", async () => {
    const memory = labelledMemory({ seal, store: new InMemoryStore(), namespace: ["m"] });
    const agent = testAgent(
      script([calls(["read_web", {}]), calls(["remember", { text: "the web says so" }]), "done"]),
      { memory },
    );
    await agent.run("go");
    expect((await memory.recall("web says"))[0]?.label.integrity).toBe(0);
  });
});

describe("guard", () => {
  const primary = (waitMs: number, state: "open" | "paused" | "broken" = "open") => ({ route: "p", waitMs, state });
  const fallback = { route: "f", waitMs: 0, state: "open" as const };

  test.each([
    ["a free primary is admitted", [primary(0), fallback], "auto", "admit"],
    ["a short wait is queued", [primary(5_000, "paused"), fallback], "auto", "queue"],
    ["a long wait degrades where it may", [primary(90_000, "paused"), fallback], "auto", "degrade"],
    ["and parks where it may not", [primary(90_000, "paused"), fallback], "trust-first", "park"],
    ["a broken primary degrades", [primary(30_000, "broken"), fallback], "auto", "degrade"],
    ["a broken primary alone parks", [primary(30_000, "broken")], "auto", "park"],
    [
      "availability first takes the faster route",
      [primary(1_000, "paused"), fallback],
      "availability-first",
      "degrade",
    ],
  ] as const)("%s", (_, forecast, policy, decision) => {
    expect(decideAdmission(forecast, policy, 60_000).decision).toBe(decision);
  });

  test("a parked run sleeps in its checkpoint and goes on when there is room", async () => {
    const agent = testAgent(script(["done"]), { admission: "trust-first" });
    const [route] = agent.model.model.routes;
    route.pool.pause(120_000);
    const parked = await agent.run("go");
    expect(parked.asked?.value).toMatchObject({ type: "parked", resource: "offline-large" });
    expect(agent.model.provider.requests).toHaveLength(0); // nothing was burnt
    expect(await eventsOf(agent.journal, "t1", "admission")).toMatchObject([{ decision: "park" }]);
  });
});

describe("compact", () => {
  test("a large result moves to a file, and the cut shows in the label", async () => {
    const agent = testAgent(
      script([
        calls(["look", { id: "x".repeat(900) }]),
        calls(["ls", { path: "/tool_results" }]),
        ({ messages }) => messages.at(-1)?.content ?? "",
      ]),
      {
        compaction: { evictOver: 600 },
      },
    );
    const result = await agent.run("go");
    expect(result.answer).toContain("/tool_results/");
    expect(result.trust.fidelity).toBe(2);
    expect(result.messages.find(({ text }) => text.includes("… cut"))?.text.length).toBeLessThan(800);
  });

  test("old turns are summarised; the label of what was summarised stays", async () => {
    const look = calls(["look", { id: "y".repeat(300) }]);
    // Summaries shorten the history, so this script keeps its own place.
    const steps = [look, calls(["read_web", {}]), look, look, "done"];
    const plan = script([() => steps.shift() ?? ""]);
    const agent = testAgent(
      (request) =>
        request.messages[0]?.content.includes("Summarise the conversation")
          ? { content: "a short summary", toolCalls: [] }
          : plan({ ...request, messages: request.messages.filter(({ role }) => role === "system") }),
      { compaction: { summariseOver: 600, keep: 2 } },
    );
    const result = await agent.run("go");
    expect(result.answer).toBe("done");
    expect(result.messages.map(({ text }) => text).join("\n")).toContain("Summary of");
    expect(result.trust).toMatchObject({ integrity: 0, fidelity: 2 });
  });

  test("a call stays with its answer, wherever in the thread that stands", async () => {
    const agent = testAgent(
      script([
        "unused",
        "unused",
        calls(["look", { id: "x".repeat(900) }]),
        ({ messages }) => messages.find(({ role }) => role === "tool")?.content ?? "the answer is gone",
      ]),
      { compaction: { summariseOver: 600, keep: 4 } },
    );
    const call = { id: "c1", name: "look", args: { id: "r7" } };
    const messages = [
      new HumanMessage("look"),
      new AIMessage({ content: "", tool_calls: [call] }),
      new AIMessage("this takes a while"),
      new ToolMessage({ content: "found 4711", tool_call_id: "c1" }),
      new HumanMessage("go on"),
    ];
    expect((await agent.run({ messages })).answer).toBe("found 4711");
  });

  test("a fallback's fidelity goes through compaction to the gate", async () => {
    const agent = testAgent(
      script([calls(["look", { id: "z".repeat(900) }]), calls(["pay", { to: "a", amount: 1 }]), "done"]),
      {
        compaction: { evictOver: 600 },
        faults: ["outage:offline-large"],
      },
    );
    const result = await agent.run("go");
    expect(result.asked?.value.requests[0]?.deficits).toContainEqual({ axis: "fidelity", rank: 1, floor: 2 });
    expect(result.asked?.value.requests[0]?.causes.join()).toContain("fallback: offline-small");
    expect(agent.done).toEqual([]);
  });
});

test("a user who moves on while an approval waits leaves a history that providers accept", async () => {
  const agent = testAgent(
    script([
      calls(["look", { id: "7" }]),
      calls(["erase", { id: "7" }]),
      ({ messages }) => messages.map(({ role }) => role).join(" "),
    ]),
  );
  await agent.run("erase 7");
  const result = await agent.run("never mind");
  expect(result.answer).toBe("system user assistant tool assistant tool user");
  expect(agent.done).toEqual([]);
});
