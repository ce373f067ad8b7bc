// How servers send tool calls: what they leave out, repeat and number anew, and what is made of it.

import type { Reply } from "../../capacity/openai-server.js";
import { chunk, completion, json, sse, type WireReply, type WireRow } from "../row.js";

type Part = Readonly<Record<string, unknown>>;

const DONE: Reply = { content: "done" };
const END = chunk({}, "tool_calls");

/** A fragment of a tool call. `about`: index and id, or what there is of them. */
const part = (name: string | undefined, args: unknown, about: Part = {}): Part => ({
  ...about,
  function: { ...(name === undefined ? {} : { name }), ...(args === undefined ? {} : { arguments: args }) },
});

/** A stream with one delta for each group of fragments. */
const deltas = (...groups: readonly (readonly Part[])[]): Reply =>
  sse(...groups.map((tool_calls) => chunk({ role: "assistant", tool_calls })), END, "data: [DONE]\n\n");

/** The same calls, streamed in one delta or in one message. */
const either =
  (...calls: readonly Part[]): WireReply =>
  ({ streamed }) =>
    streamed ? deltas(calls) : json(completion({ tool_calls: calls }, "tool_calls"));

const TAG_A = '{"id":"a"}';
const TAG_B = '{"id":"b"}';
const TAGGED_A = 'tag {"id":"a"}';
const TAGGED_B = 'tag {"id":"b"}';
const ERASED = 'erase {"id":"test-only"}';

const runs = (
  family: WireRow["family"],
  behaviour: string,
  section: string,
  streamed: WireRow["streamed"],
  replies: readonly WireReply[],
  ran: readonly string[],
  more: Partial<WireRow["expect"]> = {},
): WireRow => ({
  family,
  behaviour,
  section,
  streamed,
  task: "tag it",
  replies,
  expect: { text: "done", ran, ...more },
});

const once = (reply: WireReply): readonly WireReply[] => [reply, DONE];

export const calls: readonly WireRow[] = [
  runs(
    "LiteLLM",
    "fragments of an irreversible call without an index",
    "1.1",
    true,
    once(deltas([part("erase", "", { id: "g1" })], [part(undefined, '{"id":"test-only"}')])),
    [ERASED],
  ),
  runs(
    "any",
    "fragments without an index, whose first says the index later",
    "1.1",
    true,
    once(deltas([part("tag", "", { id: "g1" })], [part(undefined, TAG_A, { index: 0 })])),
    [TAGGED_A],
  ),
  runs(
    "any",
    "fragments without an index and without an id",
    "1.1",
    true,
    once(deltas([part("tag", "")], [part(undefined, '{"id":')], [part(undefined, '"a"}')])),
    [TAGGED_A],
  ),
  runs(
    "any",
    "two calls without an index, told apart by their ids",
    "1.1",
    true,
    once(
      deltas(
        [part("tag", "", { id: "g1" })],
        [part("tag", "", { id: "g2" })],
        [part(undefined, TAG_B, { id: "g2" })],
        [part(undefined, TAG_A, { id: "g1" })],
      ),
    ),
    [TAGGED_A, TAGGED_B],
  ),
  runs(
    "Gemini (OpenAI-compatible)",
    "two whole calls in one delta, without index or id",
    "1.1",
    true,
    once(deltas([part("tag", TAG_A), part("tag", TAG_B)])),
    [TAGGED_A, TAGGED_B],
  ),
  runs(
    "Gemini (OpenAI-compatible)",
    "index 0 and an empty id for every call",
    "1.1",
    true,
    once(deltas([part("tag", TAG_A, { index: 0, id: "" })], [part("tag", TAG_B, { index: 0, id: "" })])),
    [TAGGED_A, TAGGED_B],
  ),
  runs(
    "Ollama",
    "index 0 for every call, ids of their own",
    "1.1",
    true,
    once(deltas([part("tag", TAG_A, { index: 0, id: "c1" })], [part("tag", TAG_B, { index: 0, id: "c2" })])),
    [TAGGED_A, TAGGED_B],
  ),
  runs(
    "any",
    "the name in every fragment",
    "1.1",
    true,
    once(
      deltas(
        [part("tag", "", { index: 0, id: "c1" })],
        [part("tag", '{"id":', { index: 0 })],
        [part("tag", '"a"}', { index: 0 })],
      ),
    ),
    [TAGGED_A],
  ),
  runs(
    "any",
    "the name in pieces",
    "1.1",
    true,
    once(
      deltas(
        [part("t", "", { index: 0, id: "c1" })],
        [part("ag", "", { index: 0 })],
        [part(undefined, TAG_A, { index: 0 })],
      ),
    ),
    [TAGGED_A],
  ),
  runs(
    "any",
    "another id in every fragment",
    "1.1",
    true,
    once(
      deltas(
        [part("tag", "", { id: "x1" })],
        [part(undefined, '{"id":', { id: "x2" })],
        [part(undefined, '"a"}', { id: "x3" })],
      ),
    ),
    [TAGGED_A],
  ),
  runs(
    "vLLM",
    "the whole call once more at the end of the stream",
    "1.1",
    true,
    once(deltas([part("tag", TAG_A, { index: 0, id: "c1" })], [part("tag", TAG_A, { index: 0, id: "c1" })])),
    [TAGGED_A],
  ),
  runs(
    "any",
    "arguments as an object in place of text",
    "1.1",
    "both",
    once(either(part("tag", { id: "a" }, { id: "c1" }))),
    [TAGGED_A],
  ),
  runs(
    "any",
    "text before the call, both at index 0",
    "1.1",
    true,
    once(
      sse(
        chunk({ role: "assistant", content: "I will tag it." }),
        chunk({ tool_calls: [part("tag", TAG_A, { index: 0, id: "c1" })] }),
        END,
      ),
    ),
    [TAGGED_A],
  ),
  runs(
    "any",
    "arguments that end in the middle, in a whole answer",
    "1.1",
    "both",
    [
      either(part("erase", '{"id":"test', { index: 0, id: "c1" })),
      either(part("erase", '{"id":"test-only"}', { index: 0, id: "c1" })),
    ],
    [],
    { text: "", label: { certainty: 2 }, asks: true },
  ),
  runs(
    "any",
    "a function call of the older form",
    "1.1",
    "both",
    once(({ streamed }) => {
      const message = { function_call: { name: "tag", arguments: TAG_A } };
      return streamed
        ? sse(chunk({ role: "assistant", ...message }), chunk({}, "function_call"))
        : json(completion(message, "function_call"));
    }),
    [TAGGED_A],
  ),

  runs(
    "llama.cpp",
    "ids that begin anew in every answer",
    "1.2",
    "both",
    [
      either(part("tag", TAG_A, { index: 0, id: "call_0" })),
      either(part("tag", TAG_B, { index: 0, id: "call_0" })),
      DONE,
    ],
    [TAGGED_A, TAGGED_B],
  ),
  runs(
    "SGLang",
    "one id for all calls of a message",
    "1.2",
    "both",
    once(either(part("tag", TAG_A, { index: 0, id: "call_0" }), part("tag", TAG_B, { index: 1, id: "call_0" }))),
    [TAGGED_A, TAGGED_B],
  ),
  runs(
    "any",
    "an irreversible call whose id was answered before",
    "1.2",
    "both",
    [
      either(part("look", TAG_A, { index: 0, id: "call_0" })),
      either(part("erase", '{"id":"test-only"}', { index: 0, id: "call_0" })),
    ],
    [],
    { text: "", asks: true },
  ),
  runs(
    "Ollama",
    "empty ids",
    "1.2",
    "both",
    once(either(part("tag", TAG_A, { index: 0, id: "" }), part("tag", TAG_B, { index: 1, id: "" }))),
    [TAGGED_A, TAGGED_B],
  ),
  runs(
    "any",
    "no ids",
    "1.2",
    "both",
    once(either(part("tag", TAG_A, { index: 0 }), part("tag", TAG_B, { index: 1 }))),
    [TAGGED_A, TAGGED_B],
  ),
  runs(
    "any",
    "ids that are numbers",
    "1.2",
    "both",
    once(either(part("tag", TAG_A, { index: 0, id: 1 }), part("tag", TAG_B, { index: 1, id: 1 }))),
    [TAGGED_A, TAGGED_B],
  ),
  runs(
    "Mistral",
    "refuses ids that are not nine letters or digits",
    "1.2",
    "both",
    [
      either(part("tag", TAG_A, { index: 0, id: "call_1234567890" })),
      (request) => {
        const { messages } = request.body as unknown as { messages: { tool_call_id?: string }[] };
        const id = messages.at(-1)?.tool_call_id ?? "";
        return /^[a-zA-Z0-9]{9}$/.test(id) ? DONE : { status: 400, raw: `{"message":"bad id ${id}"}` };
      },
    ],
    [TAGGED_A],
  ),
  runs(
    "any",
    "one response id for all answers",
    "1.3",
    "both",
    [either(part("tag", TAG_A, { index: 0, id: "c1" })), either(part("tag", TAG_B, { index: 0, id: "c2" })), DONE],
    [TAGGED_A, TAGGED_B],
    { note: "every answer stays in the history" },
  ),
];
