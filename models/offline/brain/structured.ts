// Answers in a caller's JSON schema: takes the text answer and fills the fields it can be read into. Best effort for
// small schemas (verdicts, choices, ids, texts); a field it cannot read gets the schema's simplest value.

import { slotsOf } from "./language.js";

type Schema = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The schema a `response_format` asks for, if it is one. */
export function schemaOf(format: Schema | undefined): Schema | undefined {
  const described = format?.["json_schema"];
  if (isRecord(described)) return isRecord(described["schema"]) ? described["schema"] : {};
  return format?.["type"] === "json_object" ? {} : undefined;
}

/** Ways to say yes, no and unknown, in the order in which they are tried. */
const STANCES: readonly (readonly [RegExp, RegExp])[] = [
  [
    /\bINSUFFICIENT\b|\bnot done\b|\bwhich (?:one|customer)\b|\bcannot\b/i,
    /insufficient|unknown|unsure|unclear|abstain|not_enough|ask/i,
  ],
  [
    /\bCONTRADICTED\b|\bthere is no\b|\bdo not agree\b|\brejected\b|\bblocked\b|\brefuse/i,
    /contradict|refute|reject|deny|^no$|false|fail|block|disagree|oppose/i,
  ],
  [/./s, /confirm|support|approve|accept|allow|^yes$|true|pass|agree/i],
];

/** Which stance a text takes: 0 unsure, 1 against, 2 for. */
const stanceOf = (text: string): number => STANCES.findIndex(([said]) => said.test(text));

function choose(choices: readonly unknown[], text: string): unknown {
  const words = choices.filter((choice): choice is string => typeof choice === "string");
  const literal = words.find((word) => new RegExp(`\\b${word.replace(/[^\w]/g, "\\$&")}\\b`, "i").test(text));
  const meant = STANCES[stanceOf(text)]?.[1];
  return literal ?? words.find((word) => meant?.test(word)) ?? choices[0];
}

const idsIn = (text: string): string[] => {
  const slots = slotsOf(text);
  return [
    ...slots.customers,
    ...slots.tickets.map((id) => `ticket ${id}`),
    ...slots.orders.map((id) => `order ${id}`),
    ...slots.charges,
  ];
};

/** A value of the schema, read from the text. Nests at most four deep. */
export function fill(schema: Schema, text: string, name = "", depth = 0): unknown {
  if (schema["const"] !== undefined) return schema["const"];
  if (Array.isArray(schema["enum"])) return choose(schema["enum"], text);
  const options = schema["anyOf"] ?? schema["oneOf"];
  if (Array.isArray(options)) return isRecord(options[0]) ? fill(options[0], text, name, depth) : null;
  const type = Array.isArray(schema["type"]) ? schema["type"][0] : schema["type"];
  const properties = schema["properties"];
  if (isRecord(properties) && depth < 4) {
    return Object.fromEntries(
      Object.entries(properties).map(([key, child]) => [
        key,
        isRecord(child) ? fill(child, text, key, depth + 1) : text,
      ]),
    );
  }
  switch (type) {
    case "array":
      return arrayOf(schema, text, name, depth);
    case "boolean":
      return stanceOf(text) === 2;
    case "number":
    case "integer":
      return numberOf(schema, text, name);
    case "null":
      return null;
    case "string":
      return textOf(name, text);
    default:
      return depth === 0 ? { answer: text } : {};
  }
}

function arrayOf(schema: Schema, text: string, name: string, depth: number): unknown[] {
  const items = isRecord(schema["items"]) ? schema["items"] : {};
  if (items["type"] !== "string")
    return depth < 4 && isRecord(items["properties"]) ? [fill(items, text, name, depth + 1)] : [];
  if (/id|evidence|source|ref/i.test(name)) return idsIn(text);
  return text
    .split("\n")
    .map((line) => line.replace(/^- /, "").trim())
    .filter(Boolean);
}

function numberOf(schema: Schema, text: string, name: string): number {
  const confidence = [0.3, 0.9, 0.9][stanceOf(text)] ?? 0.3;
  const value = /confiden|probab|score|certain/i.test(name) ? confidence : Number(/\d+(?:\.\d+)?/.exec(text)?.[0] ?? 0);
  const minimum = typeof schema["minimum"] === "number" ? schema["minimum"] : value;
  const maximum = typeof schema["maximum"] === "number" ? schema["maximum"] : value;
  const clamped = Math.min(Math.max(value, minimum), Math.max(minimum, maximum));
  return schema["type"] === "integer" ? Math.round(clamped) : clamped;
}

function textOf(name: string, text: string): string {
  const slots = slotsOf(text);
  if (/customer_?id/i.test(name)) return slots.customers[0] ?? "";
  if (/ticket_?id/i.test(name)) return String(slots.tickets[0] ?? "");
  if (/order_?id/i.test(name)) return String(slots.orders[0] ?? "");
  if (/^(?:verdict|decision|vote)$/i.test(name))
    return ["INSUFFICIENT", "CONTRADICTED", "CONFIRMED"][stanceOf(text)] ?? "INSUFFICIENT";
  return text;
}
