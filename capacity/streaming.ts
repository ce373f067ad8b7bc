// A streamed answer under the retry authority: until text was handed out the call can still be retried or fall back; after
// that a failure is the end, and is reported as one. Tool calls are handed out at the end, when they were judged.

import type { ChatGenerationChunk } from "@langchain/core/outputs";
import { AnswerAssembly, type JudgedAnswer } from "./answer.js";
import { BrokenAnswerError } from "./errors.js";
import type { ModelRoute } from "./route.js";
import { explainBroken, type Served, type ServeOptions, serve } from "./serve.js";

/** A stream whose first words have arrived, or which has ended. */
interface Opened {
  /** What can be handed out. */
  readonly first: readonly ChatGenerationChunk[];
  readonly rest: AsyncIterator<ChatGenerationChunk>;
  readonly answer: AnswerAssembly;
  /** The judgement, when the stream has ended already. */
  readonly judged?: JudgedAnswer;
}

/**
 * Streams from the first route that begins to answer, and returns what the answer says about itself.
 *
 * @throws what `serve` throws before the first chunk; `BrokenAnswerError`, or the abort reason, after it.
 */
export async function* streamFrom(
  plan: ServeOptions,
  tools: readonly string[],
  open: (route: ModelRoute) => AsyncGenerator<ChatGenerationChunk>,
): AsyncGenerator<ChatGenerationChunk, { readonly served: Served<unknown> } & JudgedAnswer> {
  const { call, clock } = plan;
  const served = await serve(plan, (route) =>
    begin(open(route), new AnswerAssembly({ messageId: call.messageId, tools, limits: route.pool.incoming })),
  );
  const { first, rest, answer, judged } = served.value;
  let over = judged !== undefined;
  try {
    yield* first;
    if (judged !== undefined) return { served, ...judged };
    for (;;) {
      const next = await rest.next();
      if (next.done) break;
      const chunk = answer.see(next.value);
      if (chunk !== undefined) yield chunk;
    }
    over = true;
    call.signal?.throwIfAborted();
    return { served, ...answer.end(true) };
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

/** Reads up to the first text: until then nothing was handed out, and the answer can be asked for again. */
async function begin(stream: AsyncGenerator<ChatGenerationChunk>, answer: AnswerAssembly): Promise<Opened> {
  const first: ChatGenerationChunk[] = [];
  for (;;) {
    const next = await stream.next();
    if (next.done) return { first, rest: stream, answer, judged: answer.end(true) };
    const chunk = answer.see(next.value);
    if (chunk === undefined) continue;
    first.push(chunk);
    if (chunk.text.trim() !== "") return { first, rest: stream, answer };
  }
}
