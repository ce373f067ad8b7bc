import { HumanMessage, ToolMessage } from "@langchain/core/messages";
import { type StructuredToolInterface, tool } from "@langchain/core/tools";
import { Command, END, MemorySaver, Send, START, StateGraph } from "@langchain/langgraph";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { HarnessEvent } from "../../checkpoints/index.js";
import { readRecording, replayThread } from "../../graphs/index.js";
import { type HarnessTool, openCallsOf } from "../../nodes/index.js";
import { defineSubagent } from "../../subagents/index.js";
import { TrustedState } from "../../trust/index.js";
import { calls, script } from "../contracts/index.js";
import { type WorldOptions, world } from "../replay/world.js";
import { testAgent } from "../support/agent.js";
import { eventsOf } from "../support/events.js";

type Call = [tool: string, args: Record<string, unknown>];

const plan = (...contents: string[]): Call => [
  "write_todos",
  { todos: contents.map((content) => ({ content, status: "pending" })) },
];
const write = (file_path: string, content: string): Call => ["write_file", { file_path, content }];
const edit = (file_path: string, old_string: string, new_string: string): Call => [
  "edit_file",
  { file_path, old_string, new_string },
];
const read = (file_path: string): Call => ["read_file", { file_path }];

interface State {
  readonly messages: readonly { text: string; status?: string; tool_call_id?: string }[];
  readonly todos: readonly { content: string }[];
  readonly files?: Readonly<Record<string, { content: string }>>;
}

const answersIn = ({ messages }: State) =>
  messages
    .filter((message) => ToolMessage.isInstance(message))
    .map(({ text, status = "success" }) => ({ text, status }));

const contentsOf = ({ files = {} }: State) =>
  Object.fromEntries(Object.entries(files).map(([path, { content }]) => [path, content]));

/** An agent whose thread has the file /a.md, and which then makes these calls in one message. */
const afterOneMessage = async (made: readonly Call[], options: Parameters<typeof testAgent>[1] = {}) => {
  const agent = testAgent(script([calls(write("/a.md", "one two three")), calls(...made), "done"]), options);
  const state = (await agent.run("go")) as unknown as State;
  return { agent, state, answers: answersIn(state).slice(1) };
};

type ToolResponse = Extract<HarnessEvent, { kind: "tool.response" }>;

interface Row {
  readonly calls: readonly Call[];
  /** What each call is answered, in order. */
  readonly says: readonly [status: "success" | "error", text: string][];
  readonly files?: Readonly<Record<string, string>>;
  readonly todos?: readonly string[];
}

const FILE = { "/a.md": "one two three" };
const WROTE = (path: string) => ["success", `Successfully wrote to '${path}'`] as ["success" | "error", string];
const EDITED = ["success", "Successfully replaced 1 occurrence(s) in '/a.md'"] as ["success" | "error", string];

const ROWS: Readonly<Record<string, Row>> = {
  "two plans: the last one stands": {
    calls: [plan("one"), plan("two")],
    says: [
      ["success", "Updated todo list"],
      ["success", "Updated todo list"],
    ],
    todos: ["two"],
  },
  "five plans": {
    calls: [plan("a"), plan("b"), plan("c"), plan("d"), plan("e", "f")],
    says: Array.from({ length: 5 }, () => ["success", "Updated todo list"]),
    todos: ["e", "f"],
  },
  "a plan, and one that is none: the good one stands": {
    calls: [plan("good"), ["write_todos", { todos: [{ content: "bad", status: "someday" }] }]],
    says: [
      ["success", "Updated todo list"],
      ["error", "Error: Received tool input did not match expected schema"],
    ],
    todos: ["good"],
  },
  "one that is none, and a plan": {
    calls: [["write_todos", { todos: "bad" }], plan("good")],
    says: [
      ["error", "Error: Received tool input did not match expected schema"],
      ["success", "Updated todo list"],
    ],
    todos: ["good"],
  },
  "two edits of one file": {
    calls: [edit("/a.md", "one", "1"), edit("/a.md", "three", "3")],
    says: [EDITED, EDITED],
    files: { "/a.md": "1 two 3" },
  },
  "an edit that needs the one before it": {
    calls: [edit("/a.md", "one", "first"), edit("/a.md", "first two", "both")],
    says: [EDITED, EDITED],
    files: { "/a.md": "both three" },
  },
  "an edit that fails, between two that do not": {
    calls: [edit("/a.md", "one", "1"), edit("/a.md", "one", "I"), edit("/a.md", "two", "2")],
    says: [EDITED, ["error", "Error: String not found in file: 'one'"], EDITED],
    files: { "/a.md": "1 2 three" },
  },
  "a write, and a read of what it wrote": {
    calls: [write("/b.md", "hello"), read("/b.md")],
    says: [WROTE("/b.md"), ["success", "hello"]],
    files: { ...FILE, "/b.md": "hello" },
  },
  "a read, and a write after it": {
    calls: [read("/a.md"), write("/a.md", "new")],
    says: [["success", "one two three"], WROTE("/a.md")],
    files: { "/a.md": "new" },
  },
  "a write, an edit of it, a search in it, a list": {
    calls: [
      write("/b.md", "left"),
      edit("/b.md", "left", "right"),
      ["grep", { pattern: "right" }],
      ["ls", { path: "/" }],
    ],
    says: [
      WROTE("/b.md"),
      ["success", "Successfully replaced 1 occurrence(s) in '/b.md'"],
      ["success", "/b.md"],
      ["success", "/b.md"],
    ],
    files: { ...FILE, "/b.md": "right" },
  },
  "two writes of one new file": {
    calls: [write("/b.md", "first"), write("/b.md", "second")],
    says: [WROTE("/b.md"), WROTE("/b.md")],
    files: { ...FILE, "/b.md": "second" },
  },
  "an edit of a file that is written after it": {
    calls: [edit("/b.md", "a", "b"), write("/b.md", "a")],
    says: [["error", "Error: File '/b.md' not found"], WROTE("/b.md")],
    files: { ...FILE, "/b.md": "a" },
  },
  "the same content again is written": {
    calls: [write("/a.md", "one two three"), write("/a.md", "one two three")],
    says: [WROTE("/a.md"), WROTE("/a.md")],
    files: FILE,
  },
  "paths that are none": {
    calls: [write("__overwrite__", "x"), write("__proto__", "x"), write("note.md", "x"), write("/../x", "x")],
    says: Array.from({ length: 4 }, () => ["error", "Error: path must"]),
    files: FILE,
  },
  "arguments that have no canonical form: nothing is done in their place": {
    calls: [["ls", { path: "/\ud800" }], write("/b.md", "x")],
    says: [["error", "Error: ls: these arguments have no canonical form"], WROTE("/b.md")],
    files: { ...FILE, "/b.md": "x" },
  },
  "a path that reads like LangGraph's own": {
    calls: [write("/__overwrite__", "x"), write("/__proto__", "y")],
    says: [WROTE("/__overwrite__"), WROTE("/__proto__")],
    files: { ...FILE, "/__overwrite__": "x", "/__proto__": "y" },
  },
  "plans, edits and reads of the world, mixed": {
    calls: [
      plan("a"),
      ["look", { id: "1" }],
      edit("/a.md", "one", "1"),
      ["fails", {}],
      plan("b"),
      edit("/a.md", "two", "2"),
    ],
    says: [
      ["success", "Updated todo list"],
      EDITED,
      ["success", "Updated todo list"],
      EDITED,
      ["success", '{"id":"1","text":"a record"}'],
      ["error", "Error: no such record. Look it up first."],
    ],
    todos: ["b"],
    files: { "/a.md": "1 2 three" },
  },
};

describe("calls of one message that work on the state are done in their order", () => {
  test.each(Object.entries(ROWS))("%s", async (_, { calls: made, says, files = FILE, todos = [] }) => {
    const { agent, state, answers } = await afterOneMessage(made);
    expect(answers.map(({ status }) => status)).toEqual(says.map(([status]) => status));
    for (const [index, [, text]] of says.entries()) expect(answers[index]?.text).toContain(text);
    expect(contentsOf(state)).toEqual(files);
    expect(state.todos.map(({ content }) => content)).toEqual(todos);
    // Each call has its own answer and its own event, which says what the answer says.
    const told = (await eventsOf(agent.journal, "t1", "tool.response")).slice(1) as ToolResponse[];
    expect(told.map(({ callId }) => callId).toSorted()).toEqual(
      state.messages
        .flatMap(({ tool_call_id: id }) => id ?? [])
        .slice(1)
        .toSorted(),
    );
    expect(told.filter(({ ok }) => !ok)).toHaveLength(says.filter(([status]) => status === "error").length);
    // And the thread goes on.
    expect((await agent.graph.getState(agent.config())).next).toEqual([]);
  });

  test("beside gated calls: the plan stands, the action is asked about", async () => {
    const { agent, state } = await afterOneMessage([plan("a"), ["pay", { to: "b", amount: 1 }], plan("b")]);
    expect(state.todos).toMatchObject([{ content: "b" }]);
    expect(agent.done).toEqual(['pay {"to":"b","amount":1}']);
  });

  test("what they write has the label of what they read", async () => {
    const agent = testAgent(
      script([
        calls(["read_web", {}]),
        calls(write("/a.md", "from the web"), edit("/a.md", "web", "wide web"), plan("a"), plan("b")),
        calls(read("/a.md")),
        "done",
      ]),
    );
    const state = await agent.run("go");
    expect(state.trust).toMatchObject({ integrity: 0, violations: 0 });
    expect(state.trust.causes.map(({ reason }) => reason).join()).not.toContain("unlabelled");
    expect(await eventsOf(agent.journal, "t1", "label.missing")).toEqual([]);
  });

  test("a record of them replays", async () => {
    const agentOf = () => testAgent(script([calls(write("/a.md", "one")), calls(...made), "done"]));
    const made = [
      plan("a"),
      edit("/a.md", "one", "two"),
      ["look", { id: "1" }],
      edit("/a.md", "two", "three"),
      plan("b"),
    ] as Call[];
    const agent = agentOf();
    await agent.run("go");
    const again = agentOf();
    const replayed = await replayThread({
      recording: await readRecording(agent.journal, "t1"),
      graph: again.graph as never,
      harness: { journal: again.journal } as never,
      keep: (text) => agent.journal.keep(text),
    });
    expect(replayed.divergence).toBeUndefined();
    expect(replayed.identical).toBe(true);
  });
});

test("a subagent that writes files does it in its own state, beside the parent's", async () => {
  const agent = testAgent(
    script(
      [
        calls(
          write("/a.md", "parent"),
          ["task", { description: "write", subagent_type: "writer" }],
          edit("/a.md", "parent", "the parent"),
        ),
        "done",
      ],
      {
        "You are the writer": [
          calls(write("/a.md", "child"), edit("/a.md", "child", "the child"), plan("x"), plan("y")),
          "written",
        ],
      },
    ),
    {
      subagents: (host) => [
        defineSubagent({ name: "writer", description: "Writes.", prompt: "You are the writer.", tools: [] }, host),
      ],
    },
  );
  const state = (await agent.run("go")) as unknown as State;
  expect(contentsOf(state)).toEqual({ "/a.md": "the parent" });
  expect(answersIn(state).map(({ status }) => status)).toEqual(["success", "success", "success"]);
  expect(state.messages.at(-1)?.text).toBe("done");
});

test("a run that was stopped in the middle does them all once, from the start", async () => {
  const { tools } = testAgent(script([]));
  let stops = 1;
  const stopping = tool(
    () => {
      if (stops-- > 0) stop.abort(new Error("killed"));
      return "went on";
    },
    { name: "stopping", description: "Stops once.", schema: z.object({}) },
  ) as StructuredToolInterface;
  const stop = new AbortController();
  const made: Call[] = [edit("/a.md", "one", "one one"), ["stopping", {}], edit("/a.md", "one one", "1")];
  const agent = testAgent(script([calls(write("/a.md", "one two")), calls(...made), "done"]), {
    tools: [...tools, stopping as unknown as HarnessTool],
  });
  await expect(agent.run("go", "t1", { signal: stop.signal })).rejects.toThrow();
  const state = (await agent.run(null)) as unknown as State;
  expect(contentsOf(state)).toEqual({ "/a.md": "1 two" });
  expect(answersIn(state).map(({ status }) => status)).toEqual(["success", "success", "success", "success"]);
  expect((state as unknown as { trust: { minTrust: number } }).trust.minTrust).toBe(3);
});

describe("a tool that returns a Command", () => {
  const answer = (id: string, content = "written") => new ToolMessage({ content, tool_call_id: id });
  const commanding = (command: (id: string, args: { text: string }) => Command) =>
    tool((args, config) => command(config.toolCall?.id ?? "", args), {
      name: "commands",
      description: "Writes into the state.",
      schema: z.object({ text: z.string() }),
    }) as unknown as HarnessTool;
  const FILED = { mimeType: "text/plain", created_at: "", modified_at: "" };

  test.each<[name: string, (id: string) => Command, says: string]>([
    ["no answer", () => new Command({ update: { todos: [] } }), "its messages are not one answer to this call"],
    ["another call's", () => new Command({ update: { messages: [answer("x")] } }), "not one answer to this call"],
    ["two", (id) => new Command({ update: { messages: [answer(id), answer(id)] } }), "not one answer to this call"],
    [
      "elsewhere",
      (id) => new Command({ update: { messages: [answer(id)] }, goto: "act" }),
      "sends the graph elsewhere",
    ],
    [
      "above",
      (id) => new Command({ update: { messages: [answer(id)] }, graph: Command.PARENT }),
      "sends the graph elsewhere",
    ],
    ["pairs", (id) => new Command({ update: [["messages", [answer(id)]]] }), "its update is no object"],
    ["no plan", (id) => new Command({ update: { messages: [answer(id)], todos: [{}] } }), "its todos are no plan"],
    ["unknown key", (id) => new Command({ update: { messages: [answer(id)], notes: 1 } }), 'no key "notes"'],
    [
      "cleared",
      (id) => new Command({ update: { messages: [answer(id)], cleared: [] } }),
      "cleared is the harness's own",
    ],
    ["trust", (id) => new Command({ update: { messages: [answer(id)], trust: "TOP" } }), "trust is the harness's own"],
  ])("%s: nothing is written, and the planner is told", async (_, command, says) => {
    const { tools } = testAgent(script([]));
    const { answers, state } = await afterOneMessage([["commands", { text: "x" }], plan("a")], {
      tools: [...tools, commanding(command)],
    });
    expect(answers).toMatchObject([{ status: "error", text: expect.stringContaining(says) }, { status: "success" }]);
    expect(state.todos).toMatchObject([{ content: "a" }]);
  });

  test("writes files that the next call of the message sees", async () => {
    const { tools } = testAgent(script([]));
    const command = commanding(
      (id, { text }) =>
        new Command({ update: { messages: [answer(id)], files: { "/c.md": { ...FILED, content: text } } } }),
    );
    const made: Call[] = [["commands", { text: "one" }], edit("/c.md", "one", "two"), read("/c.md")];
    const { state, answers } = await afterOneMessage(made, { tools: [...tools, command] });
    expect(contentsOf(state)).toEqual({ ...FILE, "/c.md": "two" });
    expect(answers.map(({ status }) => status)).toEqual(["success", "success", "success"]);
  });
});

describe("a state that is written side by side", () => {
  const State = new TrustedState({
    last: z.string().default(""),
    list: z.array(z.string()).default(() => []),
  });
  const graph = (left: object, right: object) =>
    new StateGraph(State)
      .addNode("left", () => left)
      .addNode("right", () => right)
      .addEdge(START, "left")
      .addEdge(START, "right")
      .addEdge("left", END)
      .addEdge("right", END)
      .compile({ checkpointer: new MemorySaver() });

  test("takes the writes in the order of the branches", async () => {
    const config = { configurable: { thread_id: "t" } };
    const sides = graph({ last: "left", list: ["l"] }, { last: "right" });
    expect(await sides.invoke({}, config)).toMatchObject({ last: "right", list: ["l"] });
    expect((await sides.getState(config)).values).toMatchObject({ last: "right" });
    expect(await sides.invoke({}, config)).toMatchObject({ last: "right" });
  });

  test("calls that were sent one by one, as an earlier version did, leave a thread that goes on", async () => {
    const sends: WorldOptions["sends"] = (toolbox) => (state) =>
      openCallsOf("plain", state.messages, toolbox.tools).map((call) => new Send("tools", { call }));
    const agent = await world({ turns: [[plan("a"), plan("b")], [plan("c")]] }, { sends });
    const config = { configurable: { thread_id: "t", run_id: "r" } };
    await agent.graph.invoke({ messages: [new HumanMessage("go")] }, config);
    const { values, next } = await agent.graph.getState(config);
    expect(values.todos).toMatchObject([{ content: "c" }]);
    expect(next).toEqual([]);
    await agent.close();
  });

  test("a node that writes a key which the state does not have says so", async () => {
    const agent = await world({ turns: [] }, { dice: async () => ({ notes: ["lost"] }) });
    const config = { configurable: { thread_id: "t", run_id: "r" } };
    await expect(agent.graph.invoke({ messages: [new HumanMessage("go")] }, config)).rejects.toThrow(
      'the node writes "notes", which the graph\'s state does not have: add it to the state',
    );
    await agent.close();
  });
});

test("a plan that is none is not recorded as the plan", async () => {
  const bad: Call = ["write_todos", { todos: [{}, 1] }];
  const agent = testAgent(script([calls(plan("good"), bad), calls(bad), "done"]));
  await agent.run("go");
  expect(await eventsOf(agent.journal, "t1", "plan")).toMatchObject([{ todos: [{ content: "good" }] }]);
});
