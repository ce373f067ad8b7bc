// Shows everything about one line: the answer, the prompt, outputs, approvals, effects, the event's own fields, and all
// events of its step.

import type { PageElement } from "./browser.js";
import type { Detail, PromptOnShelf, StepOnShelf } from "./detail-shape.js";
import type { Dom } from "./dom.js";
import type { Reader } from "./reader.js";

/** Makes the view. `name` is for the files that are saved. */
export function detailViewOf(
  { make, shown, fields, fold, raw }: Dom,
  reader: Reader,
  answerView: (raw: string) => PageElement,
  promptView: (prompt: PromptOnShelf, name: string) => Promise<PageElement>,
): (detail: Detail, name: string) => Promise<PageElement> {
  type Fields = Readonly<Record<string, unknown>>;
  interface Recorded {
    readonly seq: number;
    readonly at: number;
    readonly scope: Fields;
    readonly event: Fields & { readonly kind: string };
  }
  const ERASED = "It was erased, or never kept.";
  const OUTPUTS: Readonly<Record<string, string>> = {
    output: "What it gave, whole",
    value: "What was given",
    values: "What was written",
    query: "What was searched for",
    message: "The cached answer",
    raw: "The response as it came",
  };

  const part = (title: string, ...children: readonly PageElement[]): PageElement =>
    make("section", "part", make("h3", "", title), ...children);

  const recorded = async (number: number): Promise<Recorded> => (await reader.json(number)) as Recorded;

  /** The texts that an event names, each under what it is. */
  const textsOf = async ({ event }: Recorded, texts: Detail["texts"], name: string): Promise<PageElement[]> => {
    const parts: PageElement[] = [];
    for (const [field, title] of Object.entries(OUTPUTS)) {
      const digest = event[field];
      if (typeof digest !== "string" || !(digest in texts)) continue;
      const number = texts[digest] ?? null;
      const text = number === null ? undefined : await reader.text(number);
      if (field === "raw" && text !== undefined) {
        if (event.kind === "model.response") parts.push(part("Answer", answerView(text)));
        parts.push(fold(title, () => raw(text, `${name}-response.txt`), event.kind !== "model.response"));
      } else {
        parts.push(part(title, text === undefined ? make("p", "bad", ERASED) : raw(text, `${name}-${field}.txt`)));
      }
    }
    return parts;
  };

  const recordOf = async (number: number): Promise<PageElement> => {
    const { approval, effect } = (await reader.json(number)) as { approval?: Fields; effect?: Fields };
    if (approval !== undefined) {
      const { view, ...others } = approval;
      return part(
        `Approval: ${String(approval["status"])}`,
        shown(String(view), "pre"),
        fold("the approval in full", () => fields(others)),
      );
    }
    return part(
      `Effect: ${String(effect?.["status"]).replace("_", " ")}`,
      fields({ receipt: effect?.["receipt"], error: effect?.["error"], attempts: effect?.["attempts"] }),
      fold("the effect in full", () => fields(effect)),
    );
  };

  /** Without what stands elsewhere in the view. */
  const plain = ({ event }: Recorded, detail: Detail): Fields =>
    Object.fromEntries(
      Object.entries(event).filter(
        ([field, value]) =>
          field !== "kind" && field !== "prompt" && !(typeof value === "string" && value in detail.texts),
      ),
    );

  return async (detail, name) => {
    const view = make("div");
    const [own, ...others] = await Promise.all(detail.events.map(recorded));
    if (own === undefined) return view;
    for (const each of [own, ...others]) view.append(...(await textsOf(each, detail.texts, name)));
    const requests = [own, ...others].filter(({ event }) => event.kind === "model.request");
    for (const [index, prompt] of detail.prompts.entries()) {
      const route = String(requests[index]?.event["route"] ?? "");
      view.append(part(`Prompt to ${route}`, await promptView(prompt, `${name}-${index + 1}`)));
    }
    for (const number of detail.records) view.append(await recordOf(number));
    view.append(part("Facts", fields(plain(own, detail))));
    for (const each of others) {
      view.append(fold(`${each.event.kind} #${each.seq}`, () => fields(plain(each, detail))));
    }
    view.append(
      fold("all events of this step, and of steps before it without a line", async () => {
        const list = make("div");
        const { events, texts } = (await reader.json(detail.step)) as StepOnShelf;
        for (const number of events) {
          const each = await recorded(number);
          const { step = "", lane = "", node = "" } = each.scope;
          const title = `#${each.seq}  ${each.event.kind}  ${[step, lane, node].join(" ")}`;
          const whole = async () => make("div", "", ...(await textsOf(each, texts, name)), fields(each));
          list.append(fold(title, whole));
        }
        return list;
      }),
    );
    return view;
  };
}
