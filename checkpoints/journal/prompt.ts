// A prompt takes itself apart, so that of a conversation that grows only what is new is kept: each message as a text of
// its own, the list of them in pages that are full and never change. And puts itself together again, byte for byte.

import { sha256 } from "./chain.js";
import type { HarnessEvent, RecordedPrompt, TextDigest } from "./events.js";
import type { KeptText } from "./types.js";

/** Messages per page. */
const PAGE = 16;

/** What {@link takeApart} makes of the body of a request. */
export interface TakenApart {
  readonly prompt: RecordedPrompt;
  /** The texts that it names. */
  readonly texts: readonly KeptText[];
}

/** Takes apart the body of a request. `keep` names a text. */
export function takeApart(body: string, keep: (text: string) => KeptText): TakenApart {
  const parsed = parse(body);
  const parts = parsed && partsOf(parsed, keep);
  if (parsed === undefined || parts === undefined) {
    const whole = keep(body);
    return { prompt: { whole: whole.digest }, texts: [whole] };
  }
  const digests = parts.messages.map(({ digest }) => digest);
  const full = digests.length - (digests.length % PAGE);
  const pages: KeptText[] = [];
  for (let from = 0; from < full; from += PAGE) pages.push(pageOf(digests.slice(from, from + PAGE)));
  const { tools } = parts;
  const prompt = {
    frame: { ...parsed, messages: null, ...(tools === undefined ? {} : { tools: null }) },
    pages: pages.map(({ digest }) => digest),
    rest: digests.slice(full),
    ...(tools === undefined ? {} : { tools: tools.digest }),
  };
  return { prompt, texts: [...parts.messages, ...pages, ...(tools === undefined ? [] : [tools])] };
}

/** `undefined` when one of them, without the secrets in it, is no JSON any more. */
function partsOf({ messages, tools }: Body, keep: (text: string) => KeptText) {
  const parts: KeptText[] = [];
  for (const part of tools === undefined ? messages : [...messages, tools]) {
    const json = JSON.stringify(part);
    const kept = keep(json);
    if (kept.text !== json && parseJson(kept.text) === undefined) return undefined;
    parts.push(kept);
  }
  return { messages: parts.slice(0, messages.length), tools: parts[messages.length] };
}

/** Not through `keep`: it holds nothing but digests, and what looks like a secret in them is none. */
function pageOf(digests: readonly TextDigest[]): KeptText {
  const text = digests.join("\n");
  return { digest: sha256(text), text, bytes: text.length };
}

type Body = Record<string, unknown> & { readonly messages: unknown[]; readonly tools?: unknown[] };

/** The body as an object with messages, when it can be put together again from that. */
function parse(body: string): Body | undefined {
  const parsed = parseJson(body);
  if (typeof parsed !== "object" || parsed === null || JSON.stringify(parsed) !== body) return undefined;
  if (Object.hasOwn(parsed, "__proto__")) return undefined; // Reading the event back would drop it.
  const { messages, tools } = parsed as { messages?: unknown; tools?: unknown };
  return Array.isArray(messages) && (tools === undefined || Array.isArray(tools)) ? (parsed as Body) : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // It is no JSON, and is kept as it is.
  }
}

/** The digests of a prompt's messages, in order; `undefined` when a page is missing. */
export function promptMessages(
  { pages = [], rest = [] }: RecordedPrompt,
  texts: ReadonlyMap<TextDigest, string>,
): readonly TextDigest[] | undefined {
  const listed = pages.map((page) => texts.get(page)?.split("\n"));
  return listed.includes(undefined) ? undefined : [...listed.flatMap((page) => page ?? []), ...rest];
}

/** The body of the request, exactly as it was sent but for declared secrets; `undefined` when a text is missing. */
export function promptOf(prompt: RecordedPrompt, texts: ReadonlyMap<TextDigest, string>): string | undefined {
  const { frame, tools, whole } = prompt;
  if (whole !== undefined) return texts.get(whole);
  const messages = promptMessages(prompt, texts)?.map((digest) => texts.get(digest));
  const declared = tools === undefined ? undefined : texts.get(tools);
  if (messages === undefined || messages.includes(undefined)) return undefined;
  if (tools !== undefined && declared === undefined) return undefined;
  return JSON.stringify({
    ...frame,
    messages: messages.map((message): unknown => JSON.parse(message ?? "")),
    ...(declared === undefined ? {} : { tools: JSON.parse(declared) as unknown }),
  });
}

/** The texts that an event names itself. The pages of a prompt name more: see {@link promptMessages}. */
export function digestsOf(event: HarnessEvent): readonly TextDigest[] {
  switch (event.kind) {
    case "input":
      return some(event.value);
    case "state.update":
      return some(event.values);
    case "recall":
      return some(event.query, event.output);
    case "model.request": {
      const { pages = [], rest = [], tools, whole } = event.prompt;
      return [...pages, ...rest, ...some(tools, whole)];
    }
    case "model.response":
      return some(event.raw, event.message);
    case "model.error":
      return some(event.raw);
    case "tool.output":
      return some(event.output);
    default:
      return [];
  }
}

const some = (...digests: readonly (TextDigest | undefined)[]): TextDigest[] =>
  digests.filter((digest) => digest !== undefined);
