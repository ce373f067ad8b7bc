// What Studio shows: a described field for everything in the state, and an input form with messages only.

import { getRuntimeGraphSchema } from "@langchain/langgraph-api/schema";
import { expect, test } from "vitest";
import { script } from "../contracts/index.js";
import { testAgent } from "../support/agent.js";

interface Described {
  readonly properties: Record<string, { readonly description?: string; readonly langgraph_type?: string }>;
}

test("Studio gets input, output and state, each field with a description", async () => {
  const schema = await getRuntimeGraphSchema(testAgent(script([])).graph);
  const { input, output, state } = schema as unknown as Record<"input" | "output" | "state", Described>;
  expect(Object.keys(input.properties)).toEqual(["messages"]);
  expect(input.properties["messages"]?.langgraph_type).toBe("messages");
  for (const part of [output, state]) {
    expect(Object.keys(part.properties)).toEqual([
      "messages",
      "todos",
      "files",
      "context",
      "admissions",
      "cleared",
      "trust",
    ]);
    for (const field of Object.values(part.properties)) expect(field.description).toMatch(/\w{3}/);
  }
});
