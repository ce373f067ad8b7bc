// A streamed answer under the retry authority: until something was handed out the call can still be retried or fall back;
// after that a failure is the end, and is reported as one.

import type { ChatGenerationChunk } from "@langchain/core/outputs";
import { type AnswerFacts, StreamedAnswer, saysSomething } from "./answer.js";
import { BrokenAnswerError } from "./errors.js";
import type { ModelRoute } from "./route.js";
import { explainBroken, type Served, type ServeOptions, serve } from "./serve.js";

/** A stream whose first words have arrived. */
interface Opened {
  /** The chunks up to the first that says something. */
  readonly first: readonly ChatGenerationChunk[];
  readonly rest: AsyncIterator<ChatGenerationChunk>;
  readonly answer: StreamedAnswer;
  /** The judgement, when the stream has ended already. */
  readonly facts?: AnswerFacts;
}

/**
 * Streams from the first route that begins to answer, and returns what the answer says about itself.
 *
 * @throws what `serve` throws before the first chunk; `BrokenAnswerError`, or the abort reason, after it.
 */
export async function* streamFrom(
  plan: ServeOptions,
  open: (route: ModelRoute) => AsyncGenerator<ChatGenerationChunk>,
): AsyncGenerator<ChatGenerationChunk, { readonly served: Served<unknown>; readonly facts: AnswerFacts }> {
  const { call, clock } = plan;
  const served = await serve(plan, (route) => begin(open(route), new StreamedAnswer(route.pool.incoming)));
  const { first, rest, answer, facts } = served.value;
  let over = facts !== undefined;
  try {
    yield* first;
    if (facts !== undefined) return { served, facts };
    for (;;) {
      const next = await rest.next();
      if (next.done) break;
      answer.see(next.value);
      yield next.value;
    }
    over = true;
    call.signal?.throwIfAborted();
    return { served, facts: answer.end() };
  } catch (error) {
    over = true;
    if (call.signal?.aborted) throw call.signal.reason;
    const { failure, message, thrown } = explainBroken(served.route, call, error, clock.now());
    throw new BrokenAnswerError(message, failure.kind, { cause: thrown });
  } finally {
    // The consumer walked away: the provider need not go on, and the slot comes back.
    if (!over) await rest.return?.();
  }
}

async function begin(stream: AsyncGenerator<ChatGenerationChunk>, answer: StreamedAnswer): Promise<Opened> {
  const first: ChatGenerationChunk[] = [];
  for (;;) {
    const next = await stream.next();
    if (next.done) return { first, rest: stream, answer, facts: answer.end() };
    answer.see(next.value);
    first.push(next.value);
    if (saysSomething(next.value)) return { first, rest: stream, answer };
  }
}
