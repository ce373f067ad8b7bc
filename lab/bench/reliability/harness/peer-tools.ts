// The workspace's tools for a prebuilt agent: plain LangChain tools with the same names, descriptions, schemas and
// functions. They have no idempotency keys, because nothing there hands a tool one: every call is a new one.

import { randomUUID } from "node:crypto";
import { type StructuredToolInterface, tool } from "@langchain/core/tools";
import { type HarnessTool, isGated } from "../../../../nodes/index.js";
import { mintPermit } from "../../../../nodes/permit.js";

/** Wraps the tools. `onEffect` is called right after an effect that cannot be taken back. */
export const peerTools = (tools: readonly HarnessTool[], onEffect: () => void): StructuredToolInterface[] =>
  tools.map((wrapped) =>
    tool(
      async (args: Record<string, unknown>, config) => {
        const key = randomUUID();
        const permit = mintPermit(key, wrapped, args);
        const signal = config?.signal ?? new AbortController().signal;
        const { content } = await wrapped.execute(args, { idempotencyKey: key, permit, signal, config: {} });
        if (isGated(wrapped.effect)) onEffect();
        return content;
      },
      { name: wrapped.name, description: wrapped.description, schema: wrapped.schema },
    ),
  );

/** The names of the tools that a person should be asked about. */
export const gatedNames = (tools: readonly HarnessTool[]): string[] =>
  tools.filter(({ effect }) => isGated(effect)).map(({ name }) => name);
