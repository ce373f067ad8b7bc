// Graph state with the trust channel in it. A schema field alone cannot hold a channel of our own, so the schema
// class puts it in; and the channel, not a node's input object, is what has to be asked, because a node reached by
// `Send` sees the payload.

import { StateSchema, type StateSchemaFields } from "@langchain/langgraph";
import { type BaseChannel, isDeltaChannel } from "@langchain/langgraph/channels";
import { z } from "zod";
import { storableWrite, type Trust, TrustChannel, type TrustWrite } from "./channel.js";
import { absorbing, holdsMessages } from "./messages.js";

/** LangGraph's own keys for the functions that read and write channels inside a node (langgraph 1.7.3). */
const READ = "__pregel_read";
const WRITE = "__pregel_send";

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

/**
 * Makes a channel take the writes of one superstep one after the other, in the order of their tasks. LangGraph's own
 * throw at the second one, after both are stored: the thread could then neither be resumed nor read ever again.
 */
function inOrder(channel: BaseChannel): BaseChannel {
  const update = channel.update.bind(channel);
  const fromCheckpoint = channel.fromCheckpoint.bind(channel);
  channel.update = (writes) =>
    writes.length === 0 ? update(writes) : writes.map((each) => update([each])).some(Boolean);
  channel.fromCheckpoint = (saved) => inOrder(fromCheckpoint(saved)) as never;
  return channel;
}

/**
 * A {@link StateSchema} whose `trust` key is a {@link TrustChannel}, on which parallel branches may write one key, and
 * whose messages are messages whatever anybody writes. Use it for every graph and subgraph.
 */
export class TrustedState<Fields extends StateSchemaFields> extends StateSchema<WithTrust<Fields>> {
  constructor(fields: Fields) {
    super({ ...fields, trust: trustField });
  }

  override getChannels() {
    const channels: Record<string, BaseChannel> = super.getChannels();
    for (const [name, channel] of Object.entries(channels)) {
      if (!isDeltaChannel(channel)) channels[name] = holdsMessages(channel) ? absorbing(channel) : inOrder(channel);
    }
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

/** Whether the graph that runs has a channel of this name; `true` outside a graph, where there is nothing to ask. */
export function hasChannel(config: { configurable?: Record<string, unknown> } | undefined, name: string): boolean {
  try {
    readChannel(config, name);
    return true;
  } catch {
    return false; // That is how LangGraph says no: it throws a TypeError.
  }
}

/** Writes a channel from inside a node, at once: what the node reads `fresh` afterwards has it. */
export function writeChannel(
  config: { configurable?: Record<string, unknown> } | undefined,
  name: string,
  value: unknown,
): void {
  const write = config?.configurable?.[WRITE];
  if (typeof write !== "function") throw new Error(`${name} can be written only inside of a graph`);
  write([[name, value]]);
}

/** The trust channel itself, whatever the node's input object says. `undefined` outside a graph. */
export const readTrust = (config: { configurable?: Record<string, unknown> } | undefined): Trust | undefined =>
  readChannel(config, "trust") as Trust | undefined;
