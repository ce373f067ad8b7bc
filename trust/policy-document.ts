// A policy is data: a JSON document that says how far the trust must reach before a tool may act, who is asked, and
// which arguments are forbidden. It is read strictly, every problem at once with its path, because a typing error that
// is passed over would be a protection that is not there.

import { type ArgumentTest, type JsonSchema, schemaCompiler } from "./argument-rules.js";
import { canonicalJson, digest } from "./digest.js";
import { type Axis, isRank, type Label, type Rank } from "./label.js";
import { nearest } from "./nearest.js";
import { documentProblems, pathTo } from "./policy-reader.js";

/** The lowest rank an action accepts, per axis. */
export type Floor = Label;

/** The names of the built-in policies. */
export type PolicyName = "strict" | "balanced";

/** How a floor may be stated: one rank for all axes, a built-in policy's name, or single axes. */
export type FloorSpecification = Rank | PolicyName | Partial<Record<Axis, Rank>>;

/** Whose labels a tool is judged by: the whole run's so far, or only those its arguments come from. */
export type LabelScope = "trajectory" | "lineage";

/** Who may decide an approval: anyone who can reach it, anyone with a known identity, or the identities listed. */
export type Approvers = "anyone" | "authenticated" | readonly string[];

/** What a policy says about one tool. */
export interface ToolRule {
  /** Over the tool's own floor. Axes that are not named are held at the policy's floor. */
  readonly floor?: FloorSpecification;
  /** Axes on which a deficit blocks: nobody is asked. Default none. */
  readonly hard?: readonly Axis[];
  /** Default `trajectory`. */
  readonly scope?: LabelScope;
  /** Arguments that fit none of these are blocked. Unset: all are allowed. Empty: none is. */
  readonly allow?: readonly JsonSchema[];
  /** Arguments that fit one of these are blocked. */
  readonly deny?: readonly JsonSchema[];
}

/** A policy as a user writes it, or a file holds it. See `docs/policies.md`. */
export interface PolicyDocument {
  readonly name: string;
  /** The floor of tools that have none of their own. Axes that are not named are held at 3. */
  readonly floor: FloorSpecification;
  /** A deficit at or below the rank given here blocks. Default `{ integrity: 0 }`; what is stated is added to that. */
  readonly blocksAt?: Partial<Record<Axis, Rank>>;
  readonly approvals?: {
    /** How long an approval waits for its answer, in minutes. Default 1440, at most 525600. */
    readonly ttlMinutes?: number;
    /** Approvals one run may have open at once; further calls are blocked. Default 5; 0 asks nobody. */
    readonly openLimit?: number;
    /** Approvals one run may ask for in all, until it gets a new task; further calls are blocked. Default 20. */
    readonly questionLimit?: number;
    /** Default `anyone`. */
    readonly approvers?: Approvers;
    /**
     * Whether the server that runs the graph authenticates its users. `server`: LangGraph's `langgraph_auth_user` is
     * believed. Default `none`: a server without authentication hands on whatever a client claims.
     */
    readonly authentication?: "none" | "server";
  };
  /** By tool name. */
  readonly tools?: Readonly<Record<string, ToolRule>>;
}

/** A {@link PolicyDocument} with every default filled in. Is a `PolicyDocument` itself, with the same meaning. */
export interface CompletePolicyDocument extends PolicyDocument {
  readonly floor: Floor;
  readonly blocksAt: Partial<Record<Axis, Rank>>;
  readonly approvals: {
    readonly ttlMinutes: number;
    readonly openLimit: number;
    readonly questionLimit: number;
    readonly approvers: Approvers;
    readonly authentication: "none" | "server";
  };
  readonly tools: Readonly<Record<string, ToolRule>>;
}

/** A policy that can be judged by. Made by {@link definePolicy} only. */
export interface Policy {
  /** Frozen. Everything the policy decides follows from it, so it is what is recorded. */
  readonly document: CompletePolicyDocument;
  /** SHA-256 of the document's canonical JSON. */
  readonly digest: string;
  /** The document's argument rules, compiled. */
  readonly argumentRules: ReadonlyMap<string, ArgumentRules>;
}

/** The compiled `allow` and `deny` of one tool, in the document's order. */
export interface ArgumentRules {
  readonly allow: readonly ArgumentTest[] | undefined;
  readonly deny: readonly ArgumentTest[];
}

/** Thrown for a policy that cannot be kept. Not retryable: correct the document. */
export class PolicyError extends Error {
  override readonly name = "PolicyError";
  readonly code = "POLICY";
  constructor(
    readonly policy: string,
    /** Each with its path in the document, what was found and what to write. */
    readonly problems: readonly string[],
  ) {
    super(`policy ${policy} cannot be used:\n${problems.map((each) => `- ${each}`).join("\n")}`);
  }
}

const level = (rank: Rank): Floor =>
  Object.freeze({ integrity: rank, fidelity: rank, currency: rank, certainty: rank });

const NAMED_FLOORS: ReadonlyMap<unknown, Floor> = new Map([
  ["strict", level(3)],
  ["balanced", level(2)],
]);

/** The floor a specification means; `base` is what axes that are not named are held at. Nonsense is the highest floor. */
export function floorOf(specification: FloorSpecification, base: Floor): Floor {
  if (isRank(specification)) return level(specification);
  if (typeof specification === "object" && specification !== null) return Object.freeze({ ...base, ...specification });
  return NAMED_FLOORS.get(specification) ?? level(3);
}

/**
 * Reads a policy: checks it, fills in the defaults, freezes and digests it. The document is copied.
 *
 * @throws PolicyError with every problem of the document.
 */
export function definePolicy(document: unknown): Policy {
  const plain = jsonOf(document);
  const problems = documentProblems(plain);
  const name = nameOf(plain);
  if (problems.length > 0) throw new PolicyError(name, problems);
  const stated = plain as PolicyDocument;
  const compile = schemaCompiler();
  const argumentRules = new Map<string, ArgumentRules>();
  for (const [tool, rule] of Object.entries(stated.tools ?? {})) {
    const tests = (kind: "allow" | "deny") =>
      rule[kind]?.flatMap((schema, index) => {
        try {
          return [compile(schema)];
        } catch (error) {
          problems.push(`${pathTo("tools", tool)}.${kind}[${index}]: ${(error as Error).message}. ${SCHEMA_HELP}`);
          return [];
        }
      });
    argumentRules.set(tool, { allow: tests("allow"), deny: tests("deny") ?? [] });
  }
  if (problems.length > 0) throw new PolicyError(name, problems);
  const complete: CompletePolicyDocument = {
    name: stated.name,
    floor: floorOf(stated.floor, level(3)),
    blocksAt: { integrity: 0, ...stated.blocksAt },
    approvals: {
      ...{ ttlMinutes: 1440, openLimit: 5, questionLimit: 20, approvers: "anyone", authentication: "none" },
      ...stated.approvals,
    },
    tools: stated.tools ?? {},
  };
  return Object.freeze({ document: freeze(complete), digest: digest(complete), argumentRules });
}

const SCHEMA_HELP =
  "Rules are JSON Schema draft 2020-12, read strictly: keywords as the draft spells them, `type` beside what it limits, `required` names under `properties`, no `format`, references only within the schema.";

/** Exactly what a file would hold of the document: no getters, no prototypes, no `undefined`. */
function jsonOf(document: unknown): unknown {
  try {
    return JSON.parse(canonicalJson(document));
  } catch (error) {
    throw new PolicyError("(unnamed)", [`the document is not JSON: ${(error as Error).message}`]);
  }
}

const nameOf = (plain: unknown): string => {
  const name = (plain as { name?: unknown } | null)?.name;
  return typeof name === "string" && name !== "" ? JSON.stringify(name) : "(unnamed)";
};

function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) Object.values(Object.freeze(value)).forEach(freeze);
  return value;
}

/** Floor 3 on every axis: any fallback, stale hit, retry, summary or outside text asks a person. */
export const strict: Policy = definePolicy({ name: "strict", floor: "strict" });

/** Floor 2: a clean run passes without a person; a fallback, stale or unclear one asks; open-world input blocks. */
export const balanced: Policy = definePolicy({ name: "balanced", floor: "balanced" });

/** What only the gate asks about: it says nothing of a tool that does not pass there. */
const GATE_KEYS = ["floor", "hard", "scope"] as const;

/**
 * Refuses rules that would never be asked: they protect nothing.
 *
 * @param toolNames the tools that a policy is asked about
 * @param gated those of them that pass the gate
 * @throws PolicyError naming each, with the tool that was probably meant.
 */
export function checkPolicyTools(
  policy: Policy,
  toolNames: readonly string[],
  gated: readonly string[] = toolNames,
): void {
  const problems = Object.entries(policy.document.tools).flatMap(([tool, rule]) => {
    const path = pathTo("tools", tool);
    if (!toolNames.includes(tool)) {
      const meant = nearest(tool, toolNames);
      const known = toolNames.length === 0 ? "there are none" : `there are ${toolNames.join(", ")}`;
      const fix = meant === undefined ? known : `did you mean "${meant}"?`;
      return [`${path}: there is no tool "${tool}" that a policy is asked about: ${fix}`];
    }
    if (gated.includes(tool)) return [];
    const fix = "leave it out, use allow or deny, or declare the tool's effect irreversible";
    return GATE_KEYS.filter((key) => key in rule).map(
      (key) => `${path}.${key}: "${tool}" does not pass the gate, where labels are compared: ${fix}`,
    );
  });
  if (problems.length > 0) throw new PolicyError(JSON.stringify(policy.document.name), problems);
}
