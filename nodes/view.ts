// What a person is shown of an action, and nothing else than the action: written by code, never by a model, with every
// character escaped that is invisible, reorders the line, or looks like another one in a different normal form.

/** Controls, format and bidirectional characters, unassigned and ignorable ones, and every blank but the plain one. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|(?! )\p{Zs}/gu;
const MARK = /\p{M}/gu;

const escaped = (character: string): string => {
  const point = character.codePointAt(0) ?? 0;
  return point > 0xffff ? `\\u{${point.toString(16)}}` : `\\u${point.toString(16).padStart(4, "0")}`;
};

/** `text` with nothing hidden in it. Letters whose accents stand apart (not in normal form C) show them apart. */
export function visible(text: string): string {
  const shown = text.replaceAll(UNSEEN, escaped);
  return shown === shown.normalize("NFC") ? shown : shown.replaceAll(MARK, escaped);
}

/** A tool call as it would be written, whole: `refund_order(order_id: 7781, reason: "duplicate")`. */
export const viewOfCall = (tool: string, args: Readonly<Record<string, unknown>>): string =>
  `${visible(tool)}(${Object.entries(args)
    .map(([name, value]) => `${visible(name)}: ${visible(JSON.stringify(value) ?? "undefined")}`)
    .join(", ")})`;

/** The call and, below it, what the tool's preview says would change. */
export const viewOfAction = (tool: string, args: Readonly<Record<string, unknown>>, preview?: string): string =>
  [
    viewOfCall(tool, args),
    ...(preview === undefined ? [] : preview.split("\n").map((line) => `  preview  ${visible(line)}`)),
  ].join("\n");
