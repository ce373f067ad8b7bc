// What a page is made from, as the journal has it: events, every text that they name, approvals, effects.

import { digestsOf, type Journal, type RecordedEvent, type TextDigest } from "../../../checkpoints/index.js";
import type { PageRecord } from "./page.js";

/** Reads the record of a thread. */
export async function pageRecordOf(journal: Journal, thread: string): Promise<Omit<PageRecord, "prices">> {
  const events = await journal.events({ thread });
  const [texts, approvals, effects] = await Promise.all([
    recordedTexts(journal, thread, events),
    journal.approvals({ thread }),
    journal.effects({ thread }),
  ]);
  return { thread, events, texts, approvals, effects, generatedAt: journal.clock.now() };
}

/** Every text that these events name, the messages that the pages of prompts list included. One that was erased is missing. */
export async function recordedTexts(
  journal: Pick<Journal, "texts">,
  thread: string,
  events: readonly RecordedEvent[],
): Promise<ReadonlyMap<TextDigest, string>> {
  const named = await journal.texts(thread, [...new Set(events.flatMap(({ event }) => digestsOf(event)))]);
  const listed = new Set<TextDigest>();
  for (const { event } of events) {
    if (event.kind !== "model.request") continue;
    for (const page of event.prompt.pages ?? []) {
      for (const message of named.get(page)?.split("\n") ?? []) if (!named.has(message)) listed.add(message);
    }
  }
  return listed.size === 0 ? named : new Map([...named, ...(await journal.texts(thread, [...listed]))]);
}
