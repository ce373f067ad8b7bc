// Ctrl-C: the first one lets the superstep under way end and stops there, the second one aborts it. Either way the
// checkpoint stands and the run can be resumed.

import { RunControl } from "@langchain/langgraph";

/** npm passes a Ctrl-C on to a child that the terminal has told already: two within this time, in ms, are one. */
export const ECHO_MS = 500;

/** Whether, and how hard, the user has asked the run to stop. */
export class Interruption {
  /** Drains the graph at the end of its superstep. */
  readonly control = new RunControl();
  private readonly asked = new AbortController();
  private readonly abort = new AbortController();
  private first: number | undefined;

  /** @param now Milliseconds, of a clock that does not go back. */
  constructor(
    private readonly now: () => number,
    private readonly say: (line: string) => void,
  ) {}

  /** Aborts at the second request. */
  get signal(): AbortSignal {
    return this.abort.signal;
  }

  /** Aborts at the first request: for what can be left at any moment, such as a question. */
  get firstSignal(): AbortSignal {
    return this.asked.signal;
  }

  get requested(): boolean {
    return this.first !== undefined;
  }

  /** One Ctrl-C. */
  readonly request = (): void => {
    if (this.first === undefined) {
      this.first = this.now();
      this.control.requestDrain("interrupted by the user");
      this.asked.abort();
      this.say("Stopping after this step. Everything so far is kept. Press Ctrl-C again to stop at once.");
    } else if (this.now() - this.first >= ECHO_MS && !this.signal.aborted) {
      this.abort.abort(new Error("interrupted by the user"));
      this.say("Stopping at once.");
    }
  };
}
