// What is wrong with a policy document, all of it, in the words of the one who has to correct it. Written by hand
// because a schema library reports a union ("no alternative matched") where the author needs the one wrong key.

import { AXES, isRank } from "./label.js";
import { nearest } from "./nearest.js";

const MAX_TTL_MINUTES = 525_600;
const MAX_OPEN = 1000;

/** Every problem of a document of plain JSON; none means that it is a `PolicyDocument`, but for its argument schemas. */
export function documentProblems(document: unknown): string[] {
  const problems: string[] = [];
  const report: Report = (path, found, use) => problems.push(`${path}: ${found}: ${use}`);
  policyDocument(document, "", report);
  return problems;
}

/** The path of a key below another: `tools.refund`, `tools["two words"]`. */
export const pathTo = (parent: string, key: string): string =>
  /^[A-Za-z_$][\w$-]*$/.test(key) ? (parent === "" ? key : `${parent}.${key}`) : `${parent}[${JSON.stringify(key)}]`;

type Report = (path: string, found: string, use: string) => void;
type Check = (value: unknown, path: string, report: Report) => void;

const AXIS_NAMES = "integrity, fidelity, currency or certainty";
const NO_RANK = ["is no rank", "use 0, 1, 2 or 3"] as const;

const show = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
};

/** A check that passes what `is` accepts and otherwise says what it is not, and what to write. */
const expect =
  (is: (value: unknown) => boolean, not: string, use: string): Check =>
  (value, path, report) => {
    if (!is(value)) report(path, `${show(value)} ${not}`, use);
  };

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isName = (value: unknown): boolean => typeof value === "string" && value.trim() !== "";

/** An object with the given keys; any other key is a problem. */
const object =
  (checks: Readonly<Record<string, Check>>, required: readonly string[] = []): Check =>
  (value, path, report) => {
    const known = Object.keys(checks);
    if (!isObject(value)) {
      report(path || "document", `${show(value)} is no object`, `write an object with ${known.join(", ")}`);
      return;
    }
    for (const key of required) {
      if (!Object.hasOwn(value, key)) report(pathTo(path, key), "is missing", `the document needs ${key}`);
    }
    for (const [key, each] of Object.entries(value)) {
      const check = known.includes(key) ? checks[key] : undefined;
      if (check !== undefined) check(each, pathTo(path, key), report);
      else report(pathTo(path, key), `"${key}" is no key here`, meantOr(key, known));
    }
  };

const meantOr = (key: string, known: readonly string[]): string => {
  const meant = nearest(key, known);
  return meant === undefined ? `the keys are ${known.join(", ")}` : `did you mean "${meant}"?`;
};

const list =
  (check: Check, of: string, least = 0): Check =>
  (value, path, report) => {
    if (!Array.isArray(value) || value.length < least) {
      report(path, `${show(value)} is no list of ${of}`, `write [...]${least > 0 ? ` with at least ${least}` : ""}`);
      return;
    }
    value.forEach((each, index) => {
      check(each, `${path}[${index}]`, report);
    });
  };

const ranks: Check = (value, path, report) => {
  for (const [axis, rank] of Object.entries(value as object)) {
    if (!(AXES as readonly string[]).includes(axis))
      report(pathTo(path, axis), `"${axis}" is no axis`, `use ${AXIS_NAMES}`);
    else expect(isRank, ...NO_RANK)(rank, pathTo(path, axis), report);
  }
};

const floor: Check = (value, path, report) => {
  if (isObject(value)) ranks(value, path, report);
  else if (typeof value === "number") expect(isRank, ...NO_RANK)(value, path, report);
  else {
    const use = 'use a rank from 0 to 3, "strict", "balanced", or ranks by axis';
    expect((each) => each === "strict" || each === "balanced", "is no floor", use)(value, path, report);
  }
};

const blocksAt: Check = (value, path, report) =>
  isObject(value)
    ? ranks(value, path, report)
    : report(path, `${show(value)} is no object`, 'write ranks by axis, such as { "integrity": 0 }');

const approvers: Check = (value, path, report) => {
  if (value === "anyone" || value === "authenticated") return;
  if (Array.isArray(value)) {
    const identity = expect(isName, "is no identity", 'write the name that the authentication gives, such as "ana"');
    list(identity, "identities", 1)(value, path, report);
    return;
  }
  report(path, `${show(value)} names nobody`, 'use "anyone", "authenticated" or a list of identities');
};

const axis = expect((value) => (AXES as readonly unknown[]).includes(value), "is no axis", `use ${AXIS_NAMES}`);
const schema = expect(
  (value) => typeof value === "boolean" || isObject(value),
  "is no JSON Schema",
  "write an object, true or false",
);

const toolRule = object({
  floor,
  hard: list(axis, "axes"),
  scope: expect(
    (value) => value === "trajectory" || value === "lineage",
    "is no scope",
    'use "trajectory" or "lineage"',
  ),
  allow: list(schema, "JSON Schemas"),
  deny: list(schema, "JSON Schemas"),
});

const tools: Check = (value, path, report) => {
  if (!isObject(value)) report(path, `${show(value)} is no object`, "write rules by tool name");
  else for (const [tool, rule] of Object.entries(value)) toolRule(rule, pathTo(path, tool), report);
};

const limit = expect(
  (value) => Number.isInteger(value) && numberWithin(value, 0, MAX_OPEN),
  "is no limit",
  `use a whole number from 0 to ${MAX_OPEN}`,
);

const numberWithin = (value: unknown, least: number, most: number): boolean =>
  typeof value === "number" && value >= least && value <= most;

const policyDocument = object(
  {
    name: expect(isName, "is no name", 'write a name such as "house"'),
    floor,
    blocksAt,
    approvals: object({
      ttlMinutes: expect(
        (value) => numberWithin(value, 1, MAX_TTL_MINUTES),
        "is no length of time",
        `use minutes from 1 to ${MAX_TTL_MINUTES}`,
      ),
      openLimit: limit,
      questionLimit: limit,
      approvers,
      authentication: expect(
        (value) => value === "none" || value === "server",
        "is no authentication",
        'write "none", or "server" when the server that runs the graph authenticates its users',
      ),
    }),
    tools,
  },
  ["name", "floor"],
);
