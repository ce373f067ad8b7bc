// A process with cached models. Takes orders, one line of JSON after the other: opens its cache, says "ready", waits for a
// line, makes equal calls at once, and says what became of them.

import { createInterface } from "node:readline";
import { redisStore } from "../../capacity/cache/redis-store.js";
import { sqliteStore } from "../../capacity/cache/sqlite-store.js";
import { keepingCache, obtainedOf, systemClock, trustOfAnswer } from "../../capacity/index.js";
import { hmacSeal } from "../../trust/index.js";
import type { OpenAIServer } from "./openai-server.js";
import { guarded, routeTo } from "./support.js";

/** Where the cache is: an address of Redis and a prefix, or a file. */
export type StoreAt = { readonly url: string; readonly prefix: string } | { readonly path: string };

/** What a worker is told. */
export interface Order {
  readonly at: StoreAt;
  /** The address of the upstream. */
  readonly server: string;
  readonly calls: number;
}

/** What became of one call. */
export interface Said {
  readonly content: unknown;
  readonly cached: boolean;
  readonly currency: number;
}

/** A busy machine is not what is on trial. */
const PATIENCE_MS = 5_000;

const heard = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
for (let line = await heard.next(); !line.done; line = await heard.next()) {
  const { at, server, calls } = JSON.parse(line.value) as Order;
  const cache = keepingCache({
    store:
      "url" in at ? redisStore({ ...at, timeoutMs: PATIENCE_MS }) : sqliteStore({ path: at.path, clock: systemClock }),
    patience: { patienceMs: PATIENCE_MS },
    ttlMs: 60_000,
    leaseMs: 1000,
    clock: systemClock,
  });
  const route = routeTo({ url: server } as OpenAIServer, "large");
  const model = guarded([route], { cache, seal: hmacSeal(Buffer.from("the key of this fleet")) });
  process.stdout.write("ready\n");
  await heard.next();
  const answers = await Promise.all(
    Array.from({ length: calls }, () => model.invoke("hello", { cacheable: true, tenant: "ann" })),
  );
  const said: Said[] = answers.map((answer) => ({
    content: answer.content,
    cached: obtainedOf(answer)?.cache !== undefined,
    currency: trustOfAnswer(answer).currency,
  }));
  process.stdout.write(`${JSON.stringify(said)}\n`);
  await cache.close();
}
