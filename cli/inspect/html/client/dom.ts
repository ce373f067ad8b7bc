// Builds elements for the page. Text from a record becomes text nodes only, and what is invisible in it or reorders it
// is shown as an escape. Like every part of the page's script this function is sent as source: it uses nothing but its
// arguments and the browser.

import type { PageDocument, PageElement } from "./browser.js";

/** What {@link domOf} makes. */
export interface Dom {
  make(tag: string, className?: string, ...children: readonly (PageElement | string)[]): PageElement;
  /** Text from a record, line breaks kept. */
  shown(text: string, tag?: string, className?: string): PageElement;
  /** The fields of a value, one below the other. */
  fields(value: unknown): PageElement;
  /** A call that a model asked for; `args` as it wrote them. */
  call(name: string, args: string): PageElement;
  /** A part that is built when it is opened first. */
  fold(title: string, build: () => PageElement | Promise<PageElement>, open?: boolean): PageElement;
  /** A text as it was recorded, to read and to save. */
  raw(text: string, name: string): PageElement;
}

/** Makes the builders. */
export function domOf(document: PageDocument): Dom {
  const AXES = ["integrity", "fidelity", "currency", "certainty"];
  const UNSEEN =
    /(?:(?![\n\t])[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800\ufffc\u{1d159}]|(?! )\p{Zs})+/gu;

  const make: Dom["make"] = (tag, className = "", ...children) => {
    const element = document.createElement(tag);
    if (className !== "") element.className = className;
    element.append(...children);
    return element;
  };

  const escaped = (text: string): string =>
    [...text]
      .map((character) => {
        const point = (character.codePointAt(0) ?? 0).toString(16);
        return point.length > 4 ? `\\u{${point}}` : `\\u${point.padStart(4, "0")}`;
      })
      .join("");

  const shown: Dom["shown"] = (text, tag = "span", className = "") => {
    const element = make(tag, `text ${className}`.trim());
    let end = 0;
    for (const match of text.matchAll(UNSEEN)) {
      element.append(text.slice(end, match.index), make("span", "unseen", escaped(match[0])));
      end = match.index + match[0].length;
    }
    element.append(text.slice(end));
    return element;
  };

  const isLabel = (value: object): value is Record<string, number> =>
    Object.keys(value).length === AXES.length &&
    AXES.every((axis) => typeof (value as Record<string, unknown>)[axis] === "number");

  const fields: Dom["fields"] = (value) => {
    if (typeof value !== "object" || value === null) return shown(String(value));
    if (isLabel(value)) {
      return make(
        "span",
        "label",
        ...AXES.map((axis) => make("span", `rank-${value[axis]}`, `${axis} ${value[axis]} `)),
      );
    }
    if (Array.isArray(value) && value.every((each) => typeof each !== "object") && value.length > 0) {
      return shown(value.map(String).join(", "));
    }
    const entries = Object.entries(value).filter(([, each]) => each !== undefined);
    if (entries.length === 0) return make("span", "quiet", "none");
    const list = make("dl", "fields");
    for (const [name, each] of entries) list.append(make("dt", "", shown(name)), make("dd", "", fields(each)));
    return list;
  };

  const call: Dom["call"] = (name, args) => {
    let written: PageElement;
    try {
      written = fields(JSON.parse(args));
    } catch {
      written = shown(args, "pre"); // The model did not write JSON; this is what it wrote.
    }
    return make("div", "call", shown(name, "code"), written);
  };

  const fold: Dom["fold"] = (title, build, open = false) => {
    const body = make("div", "folded");
    const details = make("details", "", make("summary", "", shown(title)), body);
    let built = false;
    const fill = (): void => {
      if (built || !details.open) return;
      built = true;
      const made = build();
      if (!(made instanceof Promise)) {
        body.append(made);
        return;
      }
      body.append("…");
      made.then(
        (element) => body.replaceChildren(element),
        (error: unknown) => body.replaceChildren(make("p", "bad", String(error))),
      );
    };
    details.addEventListener("toggle", fill);
    details.open = open;
    fill();
    return details;
  };

  const raw: Dom["raw"] = (text, name) => {
    const bytes = new TextEncoder().encode(text);
    const save = make("button", "save", "Save");
    save.type = "button";
    save.addEventListener("click", () => {
      const link = make("a");
      link.href = URL.createObjectURL(new Blob([bytes]));
      link.download = name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    });
    const size = `${bytes.length.toLocaleString("en-US")} bytes`;
    return make("div", "raw", make("p", "quiet", `${size} `, save), shown(text, "pre"));
  };

  return { make, shown, fields, call, fold, raw };
}
