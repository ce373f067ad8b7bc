// Lets libraries that own their timers live in simulated time: for one process, the time functions of the language run
// `scale` times as fast. It cannot be undone, so it is only ever done in a process that runs one row of the benchmark.

/** The timers and the clocks of this process, as libraries find them. */
interface Time extends Pick<typeof globalThis, "setTimeout" | "setInterval" | "clearTimeout"> {
  readonly setImmediate: typeof setImmediate;
  readonly clearImmediate: typeof clearImmediate;
  readonly Date: { now: () => number };
  readonly performance: { now: () => number };
}

type Run = (...args: unknown[]) => void;

/**
 * Speeds up `setTimeout`, `setInterval` and `Date.now`. A timer comes late rather than early, except that one of less than
 * half a real millisecond comes in the next turn: Node's shortest timer would take `scale` milliseconds of simulated time,
 * and a library that only wants to let others have a turn (Bottleneck does for every job) would be slowed down by it.
 */
export function speedUp(scale: number, time: Time = globalThis): void {
  const { setTimeout, setInterval, clearTimeout, setImmediate, clearImmediate, performance } = time;
  const began = time.Date.now();
  const from = performance.now();
  const immediates = new WeakSet<object>();
  const soon = (run: Run, args: readonly unknown[]): NodeJS.Immediate => {
    const immediate = setImmediate(run, ...args);
    immediates.add(immediate);
    return immediate;
  };
  // Node's own properties (`__promisify__`) come along; callers get a timer object as ever.
  time.setTimeout = Object.assign(
    (run: Run, ms = 0, ...args: unknown[]) =>
      ms / scale < 0.5 ? soon(run, args) : setTimeout(run, Math.ceil(ms / scale), ...args),
    setTimeout,
  ) as unknown as typeof setTimeout;
  time.setInterval = Object.assign(
    (run: Run, ms = 0, ...args: unknown[]) => setInterval(run, Math.ceil(ms / scale), ...args),
    setInterval,
  ) as unknown as typeof setInterval;
  time.clearTimeout = ((timer: unknown) => {
    const isImmediate = typeof timer === "object" && timer !== null && immediates.has(timer);
    if (isImmediate) clearImmediate(timer as NodeJS.Immediate);
    else clearTimeout(timer as NodeJS.Timeout);
  }) as typeof clearTimeout;
  // `Date.now` itself has whole milliseconds: far too coarse when each stands for twenty.
  time.Date.now = () => Math.floor(began + (performance.now() - from) * scale);
}
