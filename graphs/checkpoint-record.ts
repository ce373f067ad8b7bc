// Puts every checkpoint of a graph into its record, with a digest of the state, whoever's checkpointer it is: Studio and
// the Agent Server put their own in. A checkpoint that is not what its event names was changed since.

import type { BaseCheckpointSaver, CheckpointMetadata } from "@langchain/langgraph-checkpoint";
import type { Journal } from "../checkpoints/index.js";
import { type KnownDigests, scopeOf, stateDigest } from "../nodes/index.js";

const RECORDED = Symbol.for("bulkhead.recorded-saver");

/** The same saver, which tells the journal what it puts. Anything that is no saver (`true`, `false`) stays what it is. */
export function recordedSaver<Saver>(saver: Saver, journal: Journal): Saver {
  if (!isSaver(saver) || RECORDED in saver) return saver;
  const known: KnownDigests = new WeakMap();
  const put: BaseCheckpointSaver["put"] = async (config, checkpoint, metadata, versions) => {
    const saved = await saver.put(config, checkpoint, metadata, versions);
    const { thread_id: thread, checkpoint_ns: namespace = "", checkpoint_id: parent } = config.configurable ?? {};
    if (thread !== undefined && namespace === "") {
      const digest = stateDigest(checkpoint.channel_values, { known, redact: (text) => journal.keep(text).text });
      await tell(journal, config, { id: checkpoint.id, digest, parent }, metadata);
    }
    return saved;
  };
  return new Proxy(saver, {
    has: (target, key) => key === RECORDED || key in target,
    get(target, key) {
      if (key === "put") return put;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

const isSaver = (saver: unknown): saver is BaseCheckpointSaver & object =>
  typeof saver === "object" && saver !== null && typeof (saver as { put?: unknown }).put === "function";

async function tell(
  journal: Journal,
  config: Parameters<BaseCheckpointSaver["put"]>[0],
  { id, digest, parent }: { readonly id: string; readonly digest: string; readonly parent: unknown },
  metadata: CheckpointMetadata,
): Promise<void> {
  const { source, step } = metadata;
  const { thread, run } = scopeOf(config);
  await journal.append(
    { thread, run, step },
    {
      kind: "checkpoint",
      id,
      source,
      digest,
      ...(typeof parent === "string" ? { parent } : {}),
    },
  );
}
