// HTML that cannot be broken by what stands in it: a template tag that escapes every value it is given, and shows the
// characters in it that are invisible or reorder text. What comes from a record is hostile; here it can only be text.

import { visible } from "../../../nodes/view.js";

/** A piece of HTML. Only {@link html} makes one out of text that varies. */
export class Markup {
  constructor(readonly text: string) {}
}

/** What may stand in a template. A list stands for its items, one after the other; `undefined` for nothing. */
export type Insert = Markup | string | number | undefined | readonly Insert[];

/** Makes HTML: the text of the template as it is, every value escaped unless it is markup itself. */
export const html = (parts: TemplateStringsArray, ...values: readonly Insert[]): Markup =>
  new Markup(parts.reduce((made, part, index) => made + textOf(values[index - 1]) + part));

/** Markup of text that is safe as it is: a style sheet, a script, base64. */
export const trusted = (text: string): Markup => new Markup(text);

const textOf = (value: Insert): string => {
  if (value === undefined) return "";
  if (value instanceof Markup) return value.text;
  return Array.isArray(value) ? value.map(textOf).join("") : escaped(visible(String(value)));
};

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
