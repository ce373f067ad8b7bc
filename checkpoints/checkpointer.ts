// LangGraph's own savers, opened on our terms: on the same database as the journal, with errors that say what to do,
// and with a version in every checkpoint, so that a newer one is refused instead of misread.

import type { RunnableConfig } from "@langchain/core/runnables";
import {
  BaseCheckpointSaver,
  type ChannelVersions,
  type Checkpoint,
  type CheckpointListOptions,
  type CheckpointMetadata,
  type CheckpointTuple,
  MemorySaver,
  type PendingWrite,
} from "@langchain/langgraph-checkpoint";
import { storable } from "../trust/storable.js";
import { requireStorableId } from "./database/database.js";
import { toJournalError, translateFailure } from "./database/failure.js";
import { openPostgresPool, whileMigrating } from "./database/postgres.js";
import { openSqliteHandle } from "./database/sqlite.js";
import { type DatabaseTarget, parseDatabaseUrl } from "./database/target.js";
import { JournalError } from "./errors.js";

/** The version of the state this code writes. It grows when an older version could misread a checkpoint. */
const CHECKPOINT_SCHEMA = 1;

/** Where the version stands in a stored checkpoint's metadata. */
const STAMP = "bulkhead_schema";

/**
 * A saver that stamps what it stores and refuses what is newer. The stamp is taken off again on reading. Metadata, which is
 * plain JSON in the database, has nothing in it that not every database keeps; the state is stored as bytes.
 */
class StampedSaver extends BaseCheckpointSaver {
  constructor(
    private readonly inner: BaseCheckpointSaver,
    private readonly target: DatabaseTarget,
  ) {
    super(inner.serde);
  }

  override async getTuple(config: RunnableConfig): Promise<CheckpointTuple | undefined> {
    requireStorableId(threadOf(config));
    const tuple = await this.translated(() => this.inner.getTuple(config));
    return tuple && this.unstamped(tuple);
  }

  override async *list(config: RunnableConfig, options?: CheckpointListOptions): AsyncGenerator<CheckpointTuple> {
    requireStorableId(threadOf(config));
    try {
      for await (const tuple of this.inner.list(config, storable(options))) yield this.unstamped(tuple);
    } catch (error) {
      throw translateFailure(this.target, error);
    }
  }

  override put(
    config: RunnableConfig,
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
    newVersions: ChannelVersions,
  ): Promise<RunnableConfig> {
    requireStorableId(threadOf(config));
    const stamped = { ...storable(metadata), [STAMP]: CHECKPOINT_SCHEMA };
    return this.translated(() => this.inner.put(config, checkpoint, stamped, newVersions));
  }

  override putWrites(config: RunnableConfig, writes: PendingWrite[], taskId: string, taskPath?: string): Promise<void> {
    return this.translated(() => this.inner.putWrites(config, writes, taskId, taskPath));
  }

  override deleteThread(threadId: string): Promise<void> {
    return this.translated(() => this.inner.deleteThread(threadId));
  }

  override getNextVersion(current: number | undefined): number {
    return this.inner.getNextVersion(current);
  }

  private async translated<Result>(call: () => Promise<Result>): Promise<Result> {
    try {
      return await call();
    } catch (error) {
      throw translateFailure(this.target, error);
    }
  }

  private unstamped(tuple: CheckpointTuple): CheckpointTuple {
    if (tuple.metadata === undefined) return tuple;
    const { [STAMP]: version, ...metadata } = tuple.metadata as CheckpointMetadata<Record<string, unknown>>;
    if (version !== undefined && !(typeof version === "number" && version <= CHECKPOINT_SCHEMA)) {
      throw new JournalError(
        "JOURNAL_NEWER",
        this.target.name,
        `checkpoint ${tuple.checkpoint.id} in ${this.target.name} has version ${String(version)}, this version reads up to ${CHECKPOINT_SCHEMA}. Update bulkhead, or continue in a new thread.`,
      );
    }
    return { ...tuple, metadata };
  }
}

const threadOf = ({ configurable }: RunnableConfig): string => String(configurable?.["thread_id"] ?? "");

interface OpenSaver {
  readonly saver: BaseCheckpointSaver;
  close(): Promise<void>;
}

async function openInner(target: DatabaseTarget): Promise<OpenSaver> {
  switch (target.kind) {
    case "memory":
      return { saver: new MemorySaver(), close: async () => undefined };
    case "sqlite": {
      const SqliteSaver = await sqliteSaver(target);
      const handle = openSqliteHandle(target);
      // The `better-sqlite3` that SqliteSaver is typed with is this same libsql, by the override in package.json.
      const saver = new SqliteSaver(handle as unknown as ConstructorParameters<typeof SqliteSaver>[0]);
      return {
        saver,
        close: async () => {
          handle.close();
        },
      };
    }
    case "postgres": {
      const { PostgresSaver } = await import("@langchain/langgraph-checkpoint-postgres");
      const pool = openPostgresPool(target);
      const { schema } = target;
      const saver = new PostgresSaver(pool, undefined, schema === undefined ? {} : { schema });
      try {
        await whileMigrating(pool, () => saver.setup());
      } catch (error) {
        await pool.end();
        throw toJournalError(target, error);
      }
      return { saver, close: () => pool.end() };
    }
  }
}

/** What can be put in place of the machine. */
export interface CheckpointerOptions {
  /** What a relative SQLite path is relative to. Default: the process's working directory. */
  readonly cwd?: string;
}

/**
 * Opens the checkpointer at `url` (`sqlite:PATH`, `postgres://…`, `memory:`). It may share its database with the
 * journal: each has a connection of its own. Its methods reject with `JournalError` when the database fails.
 *
 * @throws JournalError
 */
export async function openCheckpointer(
  url: string,
  options: CheckpointerOptions = {},
): Promise<{ readonly saver: BaseCheckpointSaver; close(): Promise<void> }> {
  const target = parseDatabaseUrl(url, options.cwd ?? process.cwd());
  const { saver, close } = await openInner(target);
  return { saver: new StampedSaver(saver, target), close };
}

/**
 * Loaded on demand: the package wants `better-sqlite3`, which would be compiled at install, so the project that uses it
 * lists it together with the override that replaces that by libsql (see docs/dependencies.md).
 */
async function sqliteSaver(target: DatabaseTarget) {
  try {
    return (await import("@langchain/langgraph-checkpoint-sqlite")).SqliteSaver;
  } catch (error) {
    throw new JournalError(
      "JOURNAL_UNAVAILABLE",
      target.name,
      `${target.name}: SQLite checkpoints need @langchain/langgraph-checkpoint-sqlite. Add "overrides": { "better-sqlite3": "npm:libsql@^0.5.29" } to package.json, then npm install @langchain/langgraph-checkpoint-sqlite@^1.0.4; or use postgres://….`,
      error,
    );
  }
}
