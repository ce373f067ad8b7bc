// What the page keeps behind each line, as its script reads it. Numbers name texts on the shelf; `null` stands for one
// that was erased or never kept.

/** Everything about one line. */
export interface Detail {
  /** Its own event first, then what belongs to it, each a `RecordedEvent` as JSON. */
  readonly events: readonly number[];
  /** A {@link StepOnShelf} as JSON. */
  readonly step: number;
  /** The texts that these events name, by digest. */
  readonly texts: Readonly<Record<string, number | null>>;
  /** The prompts that were sent, in order. */
  readonly prompts: readonly PromptOnShelf[];
  /** Approvals and effects as the journal has them, each as JSON: `{"approval": …}` or `{"effect": …}`. */
  readonly records: readonly number[];
}

/** All events of a step, those of steps before it that have no line included, and the texts they name. */
export interface StepOnShelf {
  readonly events: readonly number[];
  readonly texts: Detail["texts"];
}

/** A prompt, see `RecordedPrompt`. A page is a JSON array of the numbers of messages. */
export interface PromptOnShelf {
  readonly frame?: number;
  readonly pages: readonly (number | null)[];
  readonly rest: readonly (number | null)[];
  readonly tools?: number | null;
  readonly whole?: number | null;
}

/** What the script finds in the page. */
export interface PageIndex {
  /** The number of the first text of each block. */
  readonly blocks: readonly number[];
  /** The number of each line's {@link Detail}. */
  readonly details: readonly number[];
  /** Of each text, the line in which it appears first; -1 for what is no text of the record. */
  readonly owners: readonly number[];
}
