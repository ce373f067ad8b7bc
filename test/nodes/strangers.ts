// What a stranger's pattern is asked about, each in the place where it reaches the harness.

import { DynamicStructuredTool } from "@langchain/core/tools";
import { redactionOf } from "../../checkpoints/journal/redaction.js";
import { SearchableState } from "../../nodes/file-search.js";
import { type McpTool, mcpTools } from "../../nodes/mcp.js";
import { definePolicy, hmacSeal, judge, TOP } from "../../trust/index.js";

const judged = (schema: object, args: Readonly<Record<string, unknown>>) => {
  const policy = definePolicy({ name: "house", floor: 0, tools: { send: { deny: [schema] } } });
  return judge({ tool: "send", arguments: args, considered: TOP, repeats: false, changed: false }, policy).verdict;
};

/** An argument against a pattern of a policy. */
export const policyValue = (pattern: string, text: string) =>
  judged({ type: "object", required: ["to"], properties: { to: { type: "string", pattern } } }, { to: text });

/** The name of an argument against a pattern of a policy. */
export const policyName = (pattern: string, text: string) =>
  judged({ type: "object", minProperties: 1, propertyNames: { pattern } }, { [text]: 1 });

/** The name of an argument against the name of a rule in a policy. */
export const policyRule = (pattern: string, text: string) =>
  judged({ type: "object", patternProperties: { [pattern]: { type: "string" } } }, { [text]: 1 });

/** A property of a policy's schema against a pattern beside it. */
export const policyDocument = (pattern: string, text: string) => {
  const both = { type: "object", properties: { [text]: { type: "string" } }, patternProperties: { [pattern]: {} } };
  return judged(both, {});
};

const called = async (properties: object, args: Readonly<Record<string, unknown>>) => {
  const tool = new DynamicStructuredTool({
    ...{ name: "find", description: "Finds." },
    schema: { type: "object", ...properties },
    func: async () => "found",
  });
  const [wrapped] = mcpTools([tool as unknown as McpTool], { server: "s", tools: { find: { effect: "none" } } });
  const context = { idempotencyKey: "key", permit: undefined, signal: new AbortController().signal, config: {} };
  return wrapped?.execute(args, context).then(
    ({ content }) => content,
    (error: Error) => error.name,
  );
};

/** An argument against a pattern of a server. */
export const mcpValue = (pattern: string, text: string) =>
  called({ properties: { to: { type: "string", pattern } } }, { to: text });

/** The name of an argument against a pattern of a server. */
export const mcpName = (pattern: string, text: string) =>
  called({ patternProperties: { [pattern]: { type: "string" } } }, { [text]: 1 });

/** A recorded text against what the user says a secret looks like. */
export const secret = (pattern: string, text: string) =>
  redactionOf({ patterns: [new RegExp(pattern)] }, hmacSeal(new Uint8Array(32))).text(text) === text;

/** The path of a file against a glob of the model. */
export const glob = (pattern: string, text: string) =>
  new SearchableState({ state: { files: { [`/${text}`]: { content: "" } } } } as never).glob(pattern).files?.length;

/** The name of a file against a glob of the model, in a search. */
export const grep = (pattern: string, text: string) =>
  new SearchableState({ state: { files: { [`/${text}`]: { content: "x" } } } } as never).grep("x", "/", pattern).matches
    ?.length;
