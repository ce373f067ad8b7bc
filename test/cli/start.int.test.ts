// What a command loads before it begins: one that needs no model and no graph starts in a third of the time.

import { afterAll, expect, test } from "vitest";
import { Place } from "./bulkhead.js";

const place = new Place();
afterAll(() => place.clear());

const moduleOf = (source: string) => `data:text/javascript,${encodeURIComponent(source)}`;

/** Every import of LangChain, LangGraph or an SDK of a model fails. */
const hooks = moduleOf(`export async function resolve(name, context, next) {
  if (/^(@langchain\\/|langchain|langsmith|deepagents|openai)/.test(name)) throw new Error("not needed: " + name);
  return next(name, context);
}`);
const register = moduleOf(`import { register } from "node:module"; register(${JSON.stringify(hooks)});`);
const env = { NODE_OPTIONS: `--import=${register}` };

test.for([
  [["--help"], 0, /Usage: bulkhead/],
  [["threads"], 0, /Nothing ran yet/],
  [["approvals"], 0, /Nothing waits for a decision/],
  [["effects"], 0, /No effects/],
  [["approve", "approval-x"], 1, /approval-x/],
  [["run", "--resume"], 2, /--resume needs --thread ID/],
] as const)("%j needs no LangChain", { timeout: 60_000 }, async ([args, code, told]) => {
  const ended = await place.bulkhead(args, { env });
  expect(ended.stdout + ended.stderr).toMatch(told);
  expect(ended.code).toBe(code);
});

test("a run does, so that the hook is seen to work", { timeout: 60_000 }, async () => {
  const { code, stderr } = await place.bulkhead(["run", "How many tickets are open?"], { env });
  expect(stderr).toMatch(/not needed: .*(langchain|openai)/);
  expect(code).toBe(1);
});
