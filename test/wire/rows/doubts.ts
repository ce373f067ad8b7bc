// Fragments that could belong to several calls, calls that stand where they are not looked for, and what no thread can keep.

import type { Reply } from "../../capacity/openai-server.js";
import { chunk, completion, json, sse, type WireReply, type WireRow } from "../row.js";

type Part = Readonly<Record<string, unknown>>;

const DONE: Reply = { content: "done" };
const part = (name: string | undefined, args: string, about: Part = {}): Part => ({
  ...about,
  function: { ...(name === undefined ? {} : { name }), arguments: args },
});
const deltas = (...groups: readonly (readonly Part[])[]): Reply =>
  sse(...groups.map((tool_calls) => chunk({ role: "assistant", tool_calls })), chunk({}, "tool_calls"));

/** Nothing of it is run: it is asked for once more. */
const refused = (behaviour: string, reply: WireReply, says: string, streamed: WireRow["streamed"] = true): WireRow => ({
  ...{ family: "any", behaviour, section: "1.1", streamed, task: "tag it", replies: [reply, reply] },
  expect: { error: { code: "ROUTES_EXHAUSTED", reason: "bad-response", says }, ran: [] },
});
const UNCLEAR = "it cannot be told which arguments";
const A = '{"id":"a"}';

const written = (text: string): WireRow => ({
  ...{
    family: "any",
    behaviour: `a call in the text: ${text.slice(0, 24).replaceAll("\n", " ")}`,
    section: "1.4",
    streamed: false,
  },
  ...{ task: "tag it", replies: [{ content: text }, { content: text }] },
  expect: { error: { reason: "bad-response", says: "in its text" }, ran: [] },
});
const empty = (text: string, what: string): WireRow => ({
  ...{
    family: "any",
    behaviour: what,
    section: "1.4",
    streamed: false,
    replies: [json(completion({ content: text })), json(completion({ content: text }))],
  },
  expect: { error: { reason: "bad-response", says: "it says nothing" } },
});
const prose = (text: string): WireRow => ({
  ...{ family: "any", behaviour: `prose: ${text.slice(0, 30)}`, section: "1.4", streamed: false, task: "explain" },
  replies: [{ content: text }],
  expect: { text },
});

/** So many levels of nothing. */
const deep = (levels: number): unknown => (levels === 0 ? "x" : { in: deep(levels - 1) });

export const doubts: readonly WireRow[] = [
  refused(
    "name and another id in every fragment",
    deltas([part("tag", "", { index: 0, id: "x1" })], [part("tag", A, { index: 0, id: "x2" })]),
    UNCLEAR,
  ),
  refused(
    "index 0 for all calls, and a fragment that says no more",
    deltas(
      [part("tag", "", { index: 0, id: "c1" })],
      [part("undeclared", "", { index: 0, id: "c2" })],
      [part(undefined, A, { index: 0 })],
    ),
    UNCLEAR,
  ),
  refused(
    "two calls without an index, and a fragment with one",
    deltas([part("tag", "", { id: "c1" }), part("undeclared", "", { id: "c2" })], [part(undefined, A, { index: 0 })]),
    UNCLEAR,
  ),
  refused(
    "two calls in one delta, and one fragment for both",
    deltas([part("tag", ""), part("tag", "")], [part(undefined, A)]),
    UNCLEAR,
  ),
  refused(
    "two tools at one index, the first without arguments",
    deltas([part("undeclared", "", { index: 0 })], [part("tag", A, { index: 0 })]),
    UNCLEAR,
  ),
  refused(
    "a call in a second answer that nobody asked for",
    ({ streamed }) =>
      streamed
        ? sse(
            chunk({ content: "No." }, "stop"),
            chunk({ tool_calls: [part("tag", A, { index: 0, id: "c1" })] }, "tool_calls", {}, { index: 1 }),
          )
        : json({
            ...completion({ content: "No." }),
            choices: [
              { index: 0, message: { role: "assistant", content: "No." }, finish_reason: "stop" },
              {
                index: 1,
                message: { role: "assistant", tool_calls: [part("tag", A, { id: "c1" })] },
                finish_reason: "tool_calls",
              },
            ],
          }),
    "in a second answer",
    false,
  ),
  {
    ...{
      family: "any",
      behaviour: "index 0 for all calls, told apart by id",
      section: "1.1",
      streamed: true,
      task: "tag it",
    },
    replies: [
      deltas(
        [part("tag", "", { index: 0, id: "c1" })],
        [part("tag", '{"id":"b"}', { index: 1, id: "c2" })],
        [part(undefined, A, { index: 0, id: "c1" })],
      ),
      DONE,
    ],
    expect: { text: "done", ran: [`tag ${A}`, 'tag {"id":"b"}'] },
  },
  {
    ...{ family: "any", behaviour: "the index as text", section: "1.1", streamed: true, task: "tag it" },
    replies: [
      deltas(
        [part("tag", "", { index: "0", id: "c1" })],
        [part("tag", '{"id":"b"}', { index: "1", id: "c2" })],
        [part(undefined, A, { index: "0" })],
      ),
      DONE,
    ],
    expect: { text: "done", ran: [`tag ${A}`, 'tag {"id":"b"}'] },
  },
  ...['{"id": "a"}', '{"id":"a"}\n'].map(
    (again, n): WireRow => ({
      ...{
        family: "vLLM",
        behaviour: `the whole call once more, written otherwise (${n + 1})`,
        section: "1.1",
        streamed: true,
        task: "tag it",
      },
      replies: [
        deltas(
          [part("tag", A, { index: 0, id: "c1" })],
          [part("tag", again, { index: 0, ...(n === 0 ? { id: "c1" } : {}) })],
        ),
        DONE,
      ],
      expect: { text: "done", ran: [`tag ${A}`] },
    }),
  ),
  {
    ...{ family: "any", behaviour: "a second answer of text", section: "1.1", streamed: true },
    replies: [sse(chunk({ content: "one" }), chunk({ content: "two" }, null, {}, { index: 1 }), chunk({}, "stop"))],
    expect: { text: "one" },
  },
  {
    ...{ family: "any", behaviour: "an empty finish reason behind the real one", section: "1.4", streamed: true },
    replies: [sse(chunk({ content: "done" }), chunk({}, "stop"), chunk({}, ""))],
    expect: { text: "done", label: { certainty: 3, fidelity: 3 } },
  },
  {
    ...{
      family: "any",
      behaviour: "a field of sixty levels, which no thread could keep",
      section: "1.7",
      streamed: "both",
      task: "tag it",
    },
    replies: [
      ({ streamed }) => {
        const message = {
          vendor: deep(60),
          tool_calls: [{ ...part("tag", A, { index: 0, id: "c1" }), extra_content: deep(60) }],
        };
        return streamed
          ? sse(chunk({ role: "assistant", ...message }), chunk({}, "tool_calls"))
          : json(completion(message, "tool_calls"));
      },
      DONE,
    ],
    expect: { text: "done", ran: [`tag ${A}`] },
  },
  written('<tool_call>{"arguments":{"id":"a"},"name":"tag"}</tool_call>'),
  written('Sure.\n<tool_call>\n{"name": "tag", "arguments": {"id": "a"}}'),
  written('{"name":"tag","parameters":{"id":"a"}}'),
  written('```json\n{"type":"function","function":{"name":"tag","arguments":"{}"}}\n```'),
  written('<|channel|>commentary to=functions.tag <|message|>{"id":"a"}<|call|>'),
  written('<function_calls>\n<invoke name="tag"><parameter name="id">a</parameter></invoke>'),
  written('[tag(id="a")]'),
  written("Thought: I should.\nAction: tag\nAction Input: a"),
  written('<|START_ACTION|>[{"tool_name": "tag", "parameters": {}}]<|END_ACTION|>'),
  empty("<think>I should tag it.</think>", "thoughts in the text and nothing else"),
  empty("<think>I should", "thoughts that do not end"),
  empty("<|im_end|>", "a mark of the model's own"),
  empty("\u200b", "a character that nobody sees"),
  prose("Qwen models write `<tool_call>` tags around a call of a tag tool."),
  prose("[TOOL_CALLS] is Mistral's marker; try looking at it."),
  prose('The call was {"name": "tag"} in short.'),
];
