// A real MCP server and client of the SDK, joined in memory, loaded through `@langchain/mcp-adapters`.

import { loadMcpTools } from "@langchain/mcp-adapters";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js";
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import {
  CallToolRequestSchema,
  type CallToolResult,
  ListToolsRequestSchema,
  type Tool,
} from "@modelcontextprotocol/sdk/types.js";
import { onTestFinished } from "vitest";
import { type McpDeclaration, mcpTools } from "../../nodes/mcp.js";
import type { HarnessTool } from "../../nodes/tool.js";

type Answer = (args: Record<string, unknown>) => CallToolResult | Promise<CallToolResult>;

/** A text result. */
export const text = (value: string): CallToolResult => ({ content: [{ type: "text", text: value }] });

/** A tool of the tests' server. */
export const lookup: Tool = {
  name: "lookup",
  description: "Finds an order.",
  inputSchema: { type: "object", properties: { order: { type: "string" } }, required: ["order"] },
};

/** Starts a server with one tool, until the test ends. `state.tool` may be changed between two loads. */
export async function serve(tool: Tool = lookup, answer: Answer = () => text("found")) {
  const state = { tool };
  const server = new Server({ name: "orders", version: "1" }, { capabilities: { tools: {} } });
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: [structuredClone(state.tool)] }));
  server.setRequestHandler(CallToolRequestSchema, ({ params }) => answer(params.arguments ?? {}));
  const [near, far] = InMemoryTransport.createLinkedPair();
  const client = new Client({ name: "test", version: "1" });
  await Promise.all([server.connect(far), client.connect(near)]);
  onTestFinished(async () => {
    await Promise.all([client.close(), server.close()]);
  });
  const load = async (declaration?: McpDeclaration, name = "orders"): Promise<HarnessTool> => {
    const loaded = await loadMcpTools("orders", client);
    const [wrapped] = mcpTools(loaded, {
      server: name,
      ...(declaration === undefined ? {} : { tools: { [state.tool.name]: declaration } }),
    });
    if (wrapped === undefined) throw new Error("nothing was loaded");
    return wrapped;
  };
  return { load, state, server };
}
