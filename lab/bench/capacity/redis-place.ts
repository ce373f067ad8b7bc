// A place in a Redis that is used for other things as well: a prefix of its own, and nothing left under it.

import { randomUUID } from "node:crypto";
import { RedisConnection, redisScript } from "../../../capacity/redis/connection.js";

/** Where a run of the benchmark keeps what it shares. */
export interface RedisPlace {
  readonly url: string;
  /** Before every key. */
  readonly prefix: string;
  /** Deletes all keys under the prefix, and closes the connection. Rejects when Redis does not answer. */
  remove(): Promise<void>;
}

/** A busy machine is not what is on trial, in ms. */
const TIMEOUT_MS = 5_000;

const DELETE = redisScript("return redis.call('DEL', unpack(KEYS))");

/** How many keys are deleted at once: Redis stands still meanwhile. */
const AT_ONCE = 500;

/** Makes a place. Rejects with the address in the message when Redis cannot be reached. */
export async function openRedisPlace(url: string): Promise<RedisPlace> {
  const prefix = `bulkhead:bench:${randomUUID()}:`;
  const connection = new RedisConnection({ url, purpose: "the benchmark", timeoutMs: TIMEOUT_MS });
  const pattern = `${prefix}*`;
  try {
    await connection.keys(pattern);
  } catch (error) {
    await connection.close();
    throw error;
  }
  return {
    ...{ url, prefix },
    remove: async () => {
      try {
        const keys = [...new Set(await connection.keys(pattern))];
        for (let from = 0; from < keys.length; from += AT_ONCE) {
          await connection.run(DELETE, keys.slice(from, from + AT_ONCE), []);
        }
      } finally {
        await connection.close();
      }
    },
  };
}
