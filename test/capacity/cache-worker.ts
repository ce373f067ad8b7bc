// A process with a cached model. Says "ready", waits for a line, makes equal calls at once, and says what became of them.

import { once } from "node:events";
import { redisStore } from "../../capacity/cache/redis-store.js";
import { sqliteStore } from "../../capacity/cache/sqlite-store.js";
import { keepingCache, obtainedOf, systemClock, trustOfAnswer } from "../../capacity/index.js";
import { hmacSeal } from "../../trust/index.js";
import type { OpenAIServer } from "./openai-server.js";
import { guarded, routeTo } from "./support.js";

const [, , place = "", prefix = "", server = "", calls = "1"] = process.argv;
/** A busy machine is not what is on trial. */
const PATIENCE_MS = 5_000;
const store = place.startsWith("redis")
  ? redisStore({ url: place, prefix, timeoutMs: PATIENCE_MS })
  : sqliteStore({ path: place, clock: systemClock });
const cache = keepingCache({
  store,
  patience: { patienceMs: PATIENCE_MS },
  ttlMs: 60_000,
  leaseMs: 1000,
  clock: systemClock,
});
const route = routeTo({ url: server } as OpenAIServer, "large");
const model = guarded([route], { cache, seal: hmacSeal(Buffer.from("the key of this fleet")) });

process.stdout.write("ready\n");
await once(process.stdin, "data");
const answers = await Promise.all(
  Array.from({ length: Number(calls) }, () => model.invoke("hello", { cacheable: true, tenant: "ann" })),
);
const said = answers.map((answer) => ({
  content: answer.content,
  cached: obtainedOf(answer)?.cache !== undefined,
  currency: trustOfAnswer(answer).currency,
}));
process.stdout.write(`${JSON.stringify(said)}\n`);
await cache.close();
process.stdin.destroy();
