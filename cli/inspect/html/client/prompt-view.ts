// Shows a prompt as it was sent: its messages, the tools it offered, and the body of the request byte for byte.

import type { PageElement } from "./browser.js";
import type { PromptOnShelf } from "./detail-shape.js";
import type { Dom } from "./dom.js";
import type { Reader } from "./reader.js";

/** Makes the view of prompts. */
export function promptViewOf(
  { make, shown, fields, call, fold, raw }: Dom,
  reader: Reader,
): (prompt: PromptOnShelf, name: string) => Promise<PageElement> {
  /** How many of the last messages stand open. */
  const OPEN = 3;
  const ERASED = "It was erased, or never kept.";

  const numbersOf = async ({ pages, rest }: PromptOnShelf): Promise<readonly (number | null)[] | undefined> => {
    const listed = await Promise.all(
      pages.map(async (page) =>
        page === null ? undefined : ((await reader.json(page)) as readonly (number | null)[]),
      ),
    );
    return listed.includes(undefined) ? undefined : [...listed.flatMap((page) => page ?? []), ...rest];
  };

  const bodyOf = async (prompt: PromptOnShelf): Promise<string | undefined> => {
    const { frame, tools, whole } = prompt;
    if (whole === null || tools === null) return undefined;
    if (whole !== undefined) return reader.text(whole);
    const numbers = await numbersOf(prompt);
    if (frame === undefined || numbers === undefined) return undefined;
    const messages: unknown[] = [];
    for (const number of numbers) {
      if (number === null) return undefined;
      messages.push(await reader.json(number));
    }
    const body = { ...((await reader.json(frame)) as object), messages };
    return JSON.stringify(tools === undefined ? body : { ...body, tools: await reader.json(tools) });
  };

  type Fields = Readonly<Record<string, unknown>>;

  /** The calls in an assistant's message: name, and arguments as they were written. */
  const callsIn = ({ tool_calls }: Fields): readonly (readonly [string, string])[] =>
    (Array.isArray(tool_calls) ? (tool_calls as readonly { readonly function?: Fields }[]) : []).map((each) => [
      String(each?.function?.["name"]),
      String(each?.function?.["arguments"]),
    ]);

  const contentOf = (message: Fields): PageElement => {
    const { role: _, content, tool_calls: __, ...others } = message;
    const view = make("div");
    if (typeof content === "string" && content !== "") view.append(shown(content, "div", "said"));
    else if (typeof content === "object" && content !== null) view.append(fields(content));
    for (const [called, args] of callsIn(message)) view.append(call(called, args));
    if (Object.keys(others).length > 0) view.append(fields(others));
    return view;
  };

  const messageOf = async (number: number | null, place: number, open: boolean): Promise<PageElement> => {
    if (number === null) return fold(`${place + 1}  erased`, () => make("p", "quiet", ERASED));
    const message = (await reader.json(number)) as Fields;
    const { role, content } = message;
    const calls = callsIn(message).map(([called, args]) => `${called}(${args})`);
    const told = typeof content === "string" && content !== "" ? content : calls.join(", ");
    const first = told.replace(/\s+/g, " ").slice(0, 90);
    return fold(
      `${place + 1}  ${String(role)}  ${first}${told.length > 90 ? "…" : ""}`,
      () => contentOf(message),
      open,
    );
  };

  return async (prompt, name) => {
    const view = make("div", "prompt");
    const numbers = prompt.whole === undefined ? await numbersOf(prompt) : [];
    if (numbers === undefined || prompt.whole === null) view.append(make("p", "bad", ERASED));
    const messages = async (from: number, to: number, open: boolean): Promise<PageElement> => {
      const list = make("div");
      for (let place = from; place < to; place += 1)
        list.append(await messageOf(numbers?.[place] ?? null, place, open));
      return list;
    };
    const amount = numbers?.length ?? 0;
    const first = Math.max(0, amount - OPEN);
    if (first <= OPEN) view.append(await messages(0, first, false));
    else view.append(fold(`messages 1 to ${first}`, () => messages(0, first, false)));
    view.append(await messages(first, amount, true));
    const { tools } = prompt;
    if (typeof tools === "number") {
      const declared = (await reader.json(tools)) as readonly unknown[];
      view.append(fold(`${declared.length} tools were offered`, () => fields(declared)));
    }
    view.append(
      fold("the request as it was sent", async () => {
        const body = await bodyOf(prompt);
        return body === undefined ? make("p", "bad", ERASED) : raw(body, `${name}-request.json`);
      }),
    );
    return view;
  };
}
