import { AIMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { Annotation, END, MessagesAnnotation, START, StateGraph } from "@langchain/langgraph";
import { createDeepAgent } from "deepagents";
import { createAgent } from "langchain";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { CapacityWaitError } from "../../capacity/index.js";
import { asSubagent, defineSubagent, type SubagentGraph } from "../../subagents/index.js";
import { balanced } from "../../trust/index.js";
import { calls, script } from "../contracts/index.js";
import { testAgent } from "../support/agent.js";
import { eventsOf } from "../support/events.js";

const task = (who: string, description = "do it") =>
  ["task", { description, subagent_type: who }] as [string, Record<string, unknown>];

const reader = (host: Parameters<NonNullable<Parameters<typeof testAgent>[1]>["subagents"] & object>[0], floor?: 3) =>
  defineSubagent(
    {
      name: "reader",
      description: "Reads.",
      prompt: "You are the reader.",
      tools: host.tools.filter(({ effect }) => effect === "none"),
      ...(floor === undefined ? {} : { floor }),
    },
    host,
  );

describe("subagents", () => {
  test("run side by side in contexts of their own and bring back the trust of all they read", async () => {
    const agent = testAgent(
      script(
        [
          calls(task("reader", "first"), task("reader", "second")),
          ({ messages }) =>
            messages
              .slice(-2)
              .map(({ content }) => content)
              .join("+"),
        ],
        {
          "You are the reader": [
            ({ messages }) => calls(["look", { id: messages.at(-1)?.content ?? "" }]),
            ({ messages }) => `read ${messages[1]?.content}`,
          ],
        },
      ),
      { subagents: (host) => [reader(host)] },
    );
    const result = await agent.run("delegate");
    expect(result.answer).toBe("read first+read second");
    expect(result.trust).toMatchObject({ integrity: 2, fidelity: 3 });
    expect(result.messages).toHaveLength(5); // their turns stay theirs
    const lanes = new Set((await agent.journal.events({ thread: "t1" })).flatMap(({ scope }) => scope.lane ?? []));
    expect(lanes.size).toBe(2);
  });

  test("a subagent that read poison and fails still brings its label; what it had is marked partial", async () => {
    const agent = testAgent(
      script([
        calls(task("reader")),
        calls(["pay", { to: "m", amount: 1 }]),
        ({ messages }) => messages.at(-1)?.content ?? "",
      ]),
      {
        subagents: ({ tools }) => {
          const graph = new StateGraph(Annotation.Root({ ...MessagesAnnotation.spec }))
            .addNode("read", async (_state, config) => {
              await tools.find(({ name }) => name === "read_web")?.invoke({}, config);
              throw new Error("the line went dead");
            })
            .addEdge(START, "read")
            .compile();
          return [
            asSubagent({ name: "reader", description: "Reads.", graph: graph as unknown as SubagentGraph, source: {} }),
          ];
        },
      },
    );
    const result = await agent.run("delegate");
    expect(result.trust).toMatchObject({ integrity: 0, fidelity: 1 });
    expect(result.messages.map(({ text }) => text).join("\n")).toContain(
      "Partial result (reader did not finish): the line went dead",
    );
    expect(result.answer).toContain("Blocked");
    expect(agent.done).toEqual([]);
  });

  test("starts from the parent's label and cannot raise it", async () => {
    const agent = testAgent(
      script([calls(["read_web", {}]), calls(task("reader")), "done"], { "You are the reader": ["clean"] }),
      { subagents: (host) => [reader(host)] },
    );
    expect((await agent.run("go")).trust.integrity).toBe(0);
  });

  test("an answer below the subagent's floor is withheld", async () => {
    const agent = testAgent(
      script([calls(task("reader")), ({ messages }) => messages.at(-1)?.content ?? ""], {
        "You are the reader": [calls(["look", { id: "1" }]), "a secret"],
      }),
      {
        subagents: (host) => [reader(host, 3)],
      },
    );
    expect((await agent.run("go")).answer).toContain("withheld");
  });

  test("takes no tool that needs the gate", () => {
    const { tools, journal, model } = testAgent(script([]));
    const define = () =>
      defineSubagent(
        { name: "x", description: "x", prompt: "x", tools },
        { journal, model: model.model, policy: balanced },
      );
    expect(define).toThrow(/pay is irreversible; a subagent has no gate/);
  });

  test("no more than eight run at once", async () => {
    let running = 0;
    let most = 0;
    const graph = new StateGraph(Annotation.Root({ ...MessagesAnnotation.spec }))
      .addNode("work", async () => {
        most = Math.max(most, ++running);
        for (let turn = 0; turn < 20; turn += 1) await new Promise((next) => setImmediate(next));
        running -= 1;
        return {};
      })
      .addEdge(START, "work")
      .compile();
    const agent = testAgent(script([calls(...Array.from({ length: 20 }, () => task("worker"))), "done"]), {
      subagents: () => [
        asSubagent({ name: "worker", description: "Works.", graph: graph as unknown as SubagentGraph }),
      ],
    });
    expect((await agent.run("go")).messages).toHaveLength(23);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(8);
  });

  test("one that finds no capacity has not failed: the run is parked, and the subagent goes on", async () => {
    let runs = 0;
    const graph = new StateGraph(MessagesAnnotation)
      .addNode("work", () => {
        runs += 1;
        if (runs === 1) throw new CapacityWaitError("CIRCUIT_OPEN", "the model is down", Date.now() + 1_000);
        return { messages: [new AIMessage("found it")] };
      })
      .addEdge(START, "work")
      .compile();
    const agent = testAgent(script([calls(task("worker")), "done"]), {
      subagents: () => [
        asSubagent({ name: "worker", description: "Works.", graph: graph as unknown as SubagentGraph }),
      ],
    });
    await expect(agent.run("go")).rejects.toMatchObject({ code: "CIRCUIT_OPEN" });
    const { messages, answer } = await agent.run(null);
    expect(answer).toBe("done");
    expect(messages.map(({ text }) => text)).toContain("found it");
  });

  test("a fallback inside a subagent reaches the parent's gate", async () => {
    const agent = testAgent(
      script([calls(task("reader")), calls(["pay", { to: "a", amount: 1 }]), "done"], { "You are the reader": ["ok"] }),
      {
        subagents: (host) => [reader(host)],
        faults: ["outage:offline-large,after=1"],
      },
    );
    expect((await agent.run("go")).asked?.value.requests[0]?.causes.join()).toContain("fallback: offline-small");
  });
});

describe("foreign graphs", () => {
  const look = tool(() => "from somewhere", {
    name: "somewhere",
    description: "Reads somewhere.",
    schema: z.object({}),
  });
  const lane = { "You are foreign": [calls(["somewhere", {}]), "found it"] };
  const parent = script([calls(task("foreign")), "done"], lane);

  test.each(["createAgent", "createDeepAgent"])(
    "%s: its unlabelled tool is the open world, its guarded model keeps its label",
    async (kind) => {
      const agent = testAgent(parent, {
        subagents: ({ model }) => {
          const prompt = "You are foreign.";
          const graph =
            kind === "createAgent"
              ? createAgent({ model, tools: [look], systemPrompt: prompt })
              : createDeepAgent({ model, tools: [look], systemPrompt: prompt });
          return [
            asSubagent({
              name: "foreign",
              description: "Foreign.",
              graph: graph as unknown as SubagentGraph,
              source: {},
            }),
          ];
        },
      });
      const result = await agent.run("go");
      expect(result.messages.at(-2)?.text).toBe("found it");
      expect(result.trust).toMatchObject({ integrity: 0, fidelity: 3 });
      expect(result.trust.causes).toContainEqual(expect.objectContaining({ reason: "somewhere declares no source" }));
    },
  );

  test("a labelled tool inside a foreign graph keeps its label, and a declared source is what it says", async () => {
    const agent = testAgent(
      script([calls(task("foreign")), "done"], { "You are foreign": [calls(["look", { id: "1" }]), "found it"] }),
      {
        subagents: ({ model, tools }) => {
          const graph = createAgent({
            model,
            tools: tools.filter(({ name }) => name === "look"),
            systemPrompt: "You are foreign.",
          });
          return [
            asSubagent({
              name: "foreign",
              description: "Foreign.",
              graph: graph as unknown as SubagentGraph,
              source: {},
            }),
          ];
        },
      },
    );
    expect((await agent.run("go")).trust).toMatchObject({ integrity: 2, fidelity: 3 });
  });

  test("a graph whose model is unknown to the harness has no fidelity", async () => {
    const graph = new StateGraph(Annotation.Root({ ...MessagesAnnotation.spec }))
      .addNode("answer", async () => ({ messages: [new AIMessage("from nowhere")] }))
      .addEdge(START, "answer")
      .addEdge("answer", END)
      .compile();
    const agent = testAgent(parent, {
      subagents: () => [
        asSubagent({ name: "foreign", description: "Foreign.", graph: graph as unknown as SubagentGraph }),
      ],
    });
    const result = await agent.run("go");
    expect(result.messages.at(-2)?.text).toBe("from nowhere");
    expect(result.trust).toMatchObject({ integrity: 0, fidelity: 0 });
    expect((await eventsOf(agent.journal, "t1", "subagent.end"))[0]).toMatchObject({ subagent: "foreign" });
  });
});
