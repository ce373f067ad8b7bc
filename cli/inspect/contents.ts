// What the events of a step name by digest, put together for a person: the prompt as it was sent, the answer as it was
// read, the body as it came, what tools gave, what the graph was given. Pure.

import { type Answer, answerOf, digestsOf, promptOf, type RecordedEvent } from "../../checkpoints/index.js";

/** The contents of one event. A part that was erased, or never recorded, is missing. */
export interface Contents {
  readonly run: string;
  readonly seq: number;
  /** The request's body, as it was sent. */
  readonly prompt?: unknown;
  /** What the body that came back says. */
  readonly answer?: Answer;
  /** That body. */
  readonly raw?: string;
  /** What a tool gave, what a node read, what the graph was given. */
  readonly output?: string;
}

/** The contents of each event that has any. */
export function contentsOf(events: readonly RecordedEvent[], texts: ReadonlyMap<string, string>): readonly Contents[] {
  return events.flatMap(({ scope, seq, event }): Contents[] => {
    const place = { run: scope.run, seq };
    if (event.kind === "model.request") {
      const prompt = promptOf(event.prompt, texts);
      return prompt === undefined ? [] : [{ ...place, prompt: parsed(prompt) }];
    }
    if (event.kind === "model.response" || event.kind === "model.error") {
      const raw = event.raw === undefined ? undefined : texts.get(event.raw);
      if (raw === undefined) return [];
      const answer = answerOf(raw);
      return [{ ...place, raw, ...(answer === undefined ? {} : { answer }) }];
    }
    const [output] = digestsOf(event)
      .toReversed()
      .map((digest) => texts.get(digest));
    return output === undefined ? [] : [{ ...place, output }];
  });
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body; // It was no JSON when it was sent.
  }
}
