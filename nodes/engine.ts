// What a provider tells of the engine that computed an answer, and of the batch it was computed in. Most tell nothing, and
// the record says so: a gap must not read like "nothing to report". Source: trust-replay.md, section 3.3.

import type { Obtained } from "../capacity/index.js";
import type { EventOf } from "./outside.js";

type Told = NonNullable<EventOf<"model.response">["engine"]>;

/** Header names, and what they tell. */
const HEADERS = { "openai-version": "version", "openai-processing-ms": "processingMs" } as const;
/** Fields of the answer's body that tell of its engine. vLLM and llama.cpp have some of them. */
const FIELDS = ["service_tier", "engine", "model_version", "kv_transfer_params", "timings"] as const;
/** Fields that tell of the batch. No hosted API is known to have one. */
const BATCH = ["batch", "batch_size", "batch_id"] as const;

/** The engine and the batch of an answer; `unavailable` for what was not told. */
export function engineOf({ headers = {}, systemFingerprint, cache }: Obtained, raw: string | undefined) {
  const body = cache === undefined && raw !== undefined ? bodyOf(raw) : {};
  const engine = {
    ...Object.fromEntries(
      Object.entries(HEADERS).flatMap(([name, as]) => (headers[name] === undefined ? [] : [[as, headers[name]]])),
    ),
    ...(systemFingerprint === undefined ? {} : { fingerprint: systemFingerprint }),
    ...pick(body, FIELDS),
  };
  return { engine: orUnavailable(engine), batch: orUnavailable(pick(body, BATCH)) };
}

const orUnavailable = (told: Readonly<Record<string, string>>): Told =>
  Object.keys(told).length === 0 ? "unavailable" : told;

const pick = (body: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    names.flatMap((name) => {
      const value = body[name];
      if (value === undefined || value === null) return [];
      return [[name, typeof value === "string" ? value : JSON.stringify(value)]];
    }),
  );

/** The top of a JSON body, or of the last line of a stream that is JSON. */
function bodyOf(raw: string): Readonly<Record<string, unknown>> {
  const text = raw.trimStart().startsWith("{")
    ? raw
    : (raw
        .match(/^data: *(\{.*\})\s*$/gm)
        ?.at(-1)
        ?.slice(5) ?? "{}");
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null ? { ...parsed } : {};
  } catch {
    return {}; // Not what a provider sends; it tells nothing.
  }
}
