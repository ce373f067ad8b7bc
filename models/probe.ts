// Asks the configured endpoint whether it is there, takes the key and has the model: for `doctor`. Reads nothing else
// and spends no tokens.

import { z } from "zod";
import type { ResolvedModel } from "./resolve.js";

/** Whether the model could be called now, and in words what was found or what to do. */
export interface ProbeResult {
  readonly ok: boolean;
  readonly message: string;
}

const listing = z.object({ data: z.array(z.object({ id: z.string() })) });

/** GET `/models`. Never throws for what the endpoint does. @param timeoutMs Longest wait in ms, default 3000. */
export async function probeModel(resolved: ResolvedModel, timeoutMs = 3_000): Promise<ProbeResult> {
  const { baseUrl, model, offline } = resolved.description;
  const where = offline ? "the offline provider" : String(baseUrl);
  let response: Response;
  let body: string;
  try {
    response = await resolved.get("/models", AbortSignal.timeout(timeoutMs));
    body = await response.text();
  } catch (error) {
    return { ok: false, message: `cannot reach ${where}: ${reason(error)}. Is it running? Check OPENAI_BASE_URL.` };
  }
  if (response.status === 401 || response.status === 403) {
    return { ok: false, message: `${where} refuses the key (${response.status}). Check OPENAI_API_KEY.` };
  }
  if (!response.ok) {
    return {
      ok: false,
      message: `${where}/models answers ${response.status}. Check OPENAI_BASE_URL: it ends in /v1 mostly.`,
    };
  }
  const models = listing.safeParse(parseJson(body)).data?.data.map(({ id }) => id);
  if (models === undefined) return { ok: true, message: `${where} answers, but does not list its models` };
  if (models.includes(model)) return { ok: true, message: `${where} answers and has ${model}` };
  const some = models.slice(0, 5).join(", ") || "none";
  return { ok: false, message: `${where} answers, but does not list ${model}. Set BULKHEAD_MODEL; it lists: ${some}.` };
}

/** `fetch failed` says nothing; its cause does. */
const reason = (error: unknown): string => {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return String(cause);
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : undefined;
  return code ?? cause.message;
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Not JSON: an endpoint that does not list its models.
  }
};
