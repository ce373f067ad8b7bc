// Shows a run while it runs. Listens to the journal and to nothing else: one JSON line per event, or lines for a
// person, for which it looks up the approvals and effects that the events only refer to.

import type { Journal, RecordedEvent } from "../../checkpoints/index.js";
import type { Terminal } from "../terminal.js";
import { type EventDetails, Progress } from "./progress.js";

/** What a reporter reads from. */
export interface Reported {
  readonly journal: Pick<Journal, "subscribe" | "approval" | "effect">;
  readonly thread: string;
}

/** Reports the events of one thread from construction until {@link close}. */
export class Reporter {
  private readonly progress: Progress;
  private readonly unsubscribe: () => void;
  private last: Promise<void> = Promise.resolve();

  constructor(
    private readonly reported: Reported,
    private readonly terminal: Terminal,
    json: boolean,
  ) {
    this.progress = new Progress(terminal.errStyle);
    this.unsubscribe = reported.journal.subscribe((event) => {
      if (event.scope.thread !== reported.thread) return;
      if (json) terminal.out(JSON.stringify({ type: "event", ...event }));
      else this.last = this.last.then(() => this.print(event));
    });
  }

  /** Resolves when everything heard so far is on the screen. */
  async settled(): Promise<void> {
    await this.last;
  }

  /** Stops listening. */
  async close(): Promise<void> {
    this.unsubscribe();
    await this.last;
  }

  /** What cannot be shown is warned of: a run must not end because of its display. */
  private async print(recorded: RecordedEvent): Promise<void> {
    try {
      const details = await this.detailsOf(recorded).catch((): EventDetails => ({})); // The line is shown without them.
      for (const line of this.progress.lines(recorded, details)) this.terminal.err(line);
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : String(error));
    }
  }

  private async detailsOf({ event }: RecordedEvent): Promise<EventDetails> {
    const { journal } = this.reported;
    switch (event.kind) {
      case "gate.decision":
        return event.approval === undefined ? {} : { approval: await journal.approval(event.approval) };
      case "effect":
        return { arguments: (await journal.effect(event.key))?.arguments };
      default:
        return {};
    }
  }
}
