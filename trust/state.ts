// Graph state with the trust channel in it. A schema field alone cannot hold a channel of our own, so the schema
// class puts it in; and the channel, not a node's input object, is what has to be asked, because a node reached by
// `Send` sees the payload.

import { StateSchema, type StateSchemaFields } from "@langchain/langgraph";
import type { BaseChannel } from "@langchain/langgraph/channels";
import { z } from "zod";
import { storableWrite, type Trust, TrustChannel, type TrustWrite } from "./channel.js";

/** LangGraph's own key for the function that reads a channel inside a node (`CONFIG_KEY_READ`, langgraph 1.7.3). */
const READ = "__pregel_read";

const rank = z.number().int().min(0).max(3);

const shape = z
  .object({
    integrity: rank.describe("Who could have written what this thread has read: 3 us, 0 anyone."),
    fidelity: rank.describe("How well it was computed: 3 the pinned model, 1 a fallback."),
    currency: rank.describe("How fresh it is: 3 live in this run, 0 of unknown age."),
    certainty: rank.describe("How surely it happened once: 3 the first attempt, 0 in doubt."),
    causes: z.array(z.object({ axis: z.string(), rank, reason: z.string(), at: z.string().optional() })),
  })
  .describe("How far this thread may be believed. It can only fall; a write that is no label drops it to the bottom.");

// The channel judges writes, so the field's schema describes and rejects only `undefined`, which LangGraph uses to ask
// for a default. It makes every other write storable: what JSON cannot hold would break the thread's history.
const describing = z.toJSONSchema(shape, { target: "draft-7", io: "input" });

/** The `trust` field: describes itself to Studio and leaves every judgement to {@link TrustChannel}. */
export const trustField = {
  "~standard": {
    version: 1,
    vendor: "bulkhead",
    validate: (value: unknown) =>
      value === undefined ? { issues: [{ message: "trust has no default" }] } : { value: storableWrite(value) },
    jsonSchema: { input: () => describing, output: () => describing },
  },
} as unknown as z.ZodType<Trust, TrustWrite>;

/** The fields of a state that has the trust channel. */
export type WithTrust<Fields extends StateSchemaFields> = Fields & { trust: z.ZodType<Trust, TrustWrite> };

/** A {@link StateSchema} whose `trust` key is a {@link TrustChannel}. Use it for every graph and subgraph. */
export class TrustedState<Fields extends StateSchemaFields> extends StateSchema<WithTrust<Fields>> {
  constructor(fields: Fields) {
    super({ ...fields, trust: trustField });
  }

  override getChannels() {
    const channels: Record<string, BaseChannel> = super.getChannels();
    channels["trust"] = new TrustChannel();
    return channels as ReturnType<StateSchema<WithTrust<Fields>>["getChannels"]>;
  }
}

/**
 * Reads a channel from inside a node, as it stood when the superstep began, or `fresh` with the node's own writes so
 * far. `undefined` outside a graph.
 */
export function readChannel(
  config: { configurable?: Record<string, unknown> } | undefined,
  name: string,
  fresh = false,
): unknown {
  const read = config?.configurable?.[READ];
  return typeof read === "function" ? read(name, fresh) : undefined;
}

/** The trust channel itself, whatever the node's input object says. `undefined` outside a graph. */
export const readTrust = (config: { configurable?: Record<string, unknown> } | undefined): Trust | undefined =>
  readChannel(config, "trust") as Trust | undefined;
