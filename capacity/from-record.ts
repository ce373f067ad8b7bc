// A model call that is answered from a record: no queue, no network, no retry. What would be sent is made exactly as
// always, and compared; what came back then is read exactly as it was read then.

import { type CallInProgress, callInProgress } from "./call.js";
import type { ModelRoute } from "./route.js";
import type { Served, ServeOptions } from "./serve.js";
import type { CallStandIn, SentRequest } from "./witness.js";

/** Ends an attempt that is made only to see what it would send. */
class Seen extends Error {
  override readonly name = "Seen";
}

/**
 * Serves a call from the record.
 *
 * @throws what the stand-in throws when the record has no such call; the error that the call ended with, when it did.
 */
export async function serveFromRecord<Value>(
  { routes, call }: ServeOptions,
  standIn: CallStandIn,
  attempt: (route: ModelRoute) => Promise<Value>,
): Promise<Served<Value>> {
  const requests: SentRequest[] = [];
  for (const route of routes) requests.push(...(await wouldSend(route, call, attempt)));
  const recorded = await standIn.recorded(call.id, requests);
  if ("error" in recorded) {
    if (recorded.raw !== undefined) call.witness?.received(call.id, recorded.raw);
    throw recorded.error;
  }
  const { obtained, raw } = recorded;
  const route = routes.find(({ name }) => name === recorded.route);
  if (route === undefined) {
    throw new Error(
      `the record has an answer of ${recorded.route}, which is no route of this model any more. Configure it again to replay.`,
    );
  }
  const request = requests.find((each) => each.route === route.name);
  if (request !== undefined) await call.witness?.sent(call.id, request);
  const type = raw.trimStart().startsWith("{") ? "application/json" : "text/event-stream";
  call.standIn = async () => new Response(raw, { status: 200, headers: { "content-type": type } });
  call.route = route.name;
  call.messageId = obtained.messageId ?? call.messageId;
  const value = await callInProgress.run(call, () => attempt(route));
  call.requests = obtained.attempts;
  call.rateLimited = obtained.rateLimited;
  call.queueMs = obtained.queueMs;
  call.last = obtained.headers === undefined ? {} : { headers: obtained.headers };
  call.witness?.received(call.id, raw);
  const reason = obtained.fallbackReason as NonNullable<Served<Value>["fallbackReason"]> | undefined;
  return {
    value,
    route,
    unclearAttempts: obtained.unclearAttempts,
    alias: obtained.alias,
    ...(reason === undefined ? {} : { fallbackReason: reason }),
  };
}

/** The request that an attempt on this route would send; none when it would not get that far. */
async function wouldSend(
  route: ModelRoute,
  call: CallInProgress,
  attempt: (route: ModelRoute) => Promise<unknown>,
): Promise<readonly SentRequest[]> {
  const seen: SentRequest[] = [];
  const looking: CallInProgress = {
    ...call,
    route: route.name,
    standIn: async (endpoint, body) => {
      seen.push({ provider: route.provider, endpoint, route: route.name, body });
      throw new Seen();
    },
  };
  try {
    await callInProgress.run(looking, () => attempt(route));
  } catch (error) {
    if (seen.length === 0) throw error; // It fails before it sends anything, as it would without a record.
  }
  return seen;
}
