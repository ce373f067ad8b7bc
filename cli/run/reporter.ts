// Shows a run while it runs. Listens to the journal and to nothing else: one JSON line per event, or lines for a
// person, for which it looks up the arguments and approvals that the events only refer to.

import type { AIMessage } from "@langchain/core/messages";
import type { Journal, RecordedEvent } from "../../checkpoints/index.js";
import type { Terminal } from "../terminal.js";
import { messagesOf } from "./outcome.js";
import { type EventDetails, Progress } from "./progress.js";

/** What a reporter reads from. */
export interface Reported {
  readonly journal: Pick<Journal, "subscribe" | "approval" | "effect">;
  readonly thread: string;
  /** The thread's state as it was last saved. */
  readonly values: () => Promise<unknown>;
}

/** Reports the events of one thread from construction until {@link close}. */
export class Reporter {
  private readonly progress: Progress;
  private readonly unsubscribe: () => void;
  private readonly calls = new Map<string, Readonly<Record<string, unknown>>>();
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

  private async detailsOf({ event, scope }: RecordedEvent): Promise<EventDetails> {
    const { journal } = this.reported;
    switch (event.kind) {
      case "gate.decision": {
        const approval = event.approval === undefined ? undefined : await journal.approval(event.approval);
        return { approval, arguments: approval?.arguments ?? (await this.argumentsOf(event.callId)) };
      }
      case "effect":
        return { arguments: (await journal.effect(event.key))?.arguments };
      case "tool.response":
        // A subagent's messages are its own; they are not in the thread's state.
        return scope.lane === undefined ? { arguments: await this.argumentsOf(event.callId) } : {};
      default:
        return {};
    }
  }

  private async argumentsOf(callId: string): Promise<Readonly<Record<string, unknown>> | undefined> {
    if (!this.calls.has(callId)) {
      for (const message of messagesOf(await this.reported.values())) {
        for (const call of (message as AIMessage).tool_calls ?? []) this.calls.set(call.id ?? "", call.args);
      }
    }
    return this.calls.get(callId);
  }
}
