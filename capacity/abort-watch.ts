// Listens to the signals of those who wait: once to each signal, however many wait on it, because a run has one signal for
// all its calls, and a listener each would cost more than all the rest of waiting.

/** Who waits on a signal. */
export interface Abortable {
  /** The signal aborted, for this reason. */
  refuse(reason: unknown): void;
}

/** All who wait, by their signal. */
export class AbortWatch {
  readonly #waiting = new Map<AbortSignal, Set<Abortable>>();

  add(signal: AbortSignal, who: Abortable): void {
    const group = this.#waiting.get(signal);
    if (group !== undefined) {
      group.add(who);
      return;
    }
    this.#waiting.set(signal, new Set([who]));
    signal.addEventListener("abort", this);
  }

  /** Who does not wait any longer. Forgets the signal with the last one. */
  delete(signal: AbortSignal, who: Abortable): void {
    const group = this.#waiting.get(signal);
    if (group === undefined || !group.delete(who) || group.size > 0) return;
    this.#waiting.delete(signal);
    signal.removeEventListener("abort", this);
  }

  /** A signal aborted. */
  handleEvent({ target }: Event): void {
    const signal = target as AbortSignal;
    for (const who of [...(this.#waiting.get(signal) ?? [])]) who.refuse(signal.reason);
  }
}
