// While a replay runs, nothing of it reaches the world: sockets and `fetch` are closed to everybody, and the clock shows
// the recorded time. A node of the project that looks at the clock, at chance or at a timer itself gives another answer at
// each replay: that is caught by where the call comes from. Libraries may look; what they see does not move by itself.

import nodeCrypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import { Socket } from "node:net";
import { dirname, sep } from "node:path";
import nodeTimers from "node:timers";
import promisedTimers from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** What was caught. */
export interface Caught {
  /** `fetch`, `Date.now()`, `a socket`. */
  readonly what: string;
  /** What to use in its place. */
  readonly instead: string;
}

/** What {@link setTraps} takes. */
export interface TrapOptions {
  /** Milliseconds since the epoch, as the record has it by now. */
  readonly now: () => number;
  /** Called for each catch. It throws. */
  readonly caught: (caught: Caught) => never;
  /** Whether the code that runs now belongs to a node. */
  readonly inNode: () => boolean;
}

/** The rooms of this package, beside each other whether it is built or not. Their code is no node of a project's own. */
const ROOMS = ["trust", "models", "capacity", "checkpoints", "memory", "nodes", "subagents", "graphs", "cli"];
const HERE = fileURLToPath(import.meta.url);
const HOUSE = dirname(dirname(dirname(HERE)));
const OURS = ROOMS.map((room) => `${HOUSE}${sep}${room}${sep}`);
const FRAME = /(?:\(|at )(?:async )?(?:file:\/\/)?((?:\/|[A-Za-z]:\\)[^\n()]*?):\d+:\d+\)?$/;

/** Whether the code that called the trap is the project's: not a library's, not ours. */
function isProjectCode(): boolean {
  const frames = (new Error().stack ?? "").split("\n").slice(1);
  for (const frame of frames) {
    const file = FRAME.exec(frame.trim())?.[1];
    if (file === undefined || file === HERE) continue; // Node's own, or this file.
    return !file.includes(`${sep}node_modules${sep}`) && !OURS.some((room) => file.startsWith(room));
  }
  return false;
}

const STEP = "record it: step.now() and step.random() of harnessNode are recorded";
const TOOL = "read the world through a tool";

/** Sets the traps, and returns the function that takes them away. Process-wide: one replay at a time. */
export function setTraps({ now, caught, inNode }: TrapOptions): () => void {
  const undo: (() => void)[] = [];
  /** Puts something else in a place, for everybody who looks there or imports it. */
  const put = (owner: object, key: string, value: unknown): void => {
    const before = Object.getOwnPropertyDescriptor(owner, key);
    undo.push(() => {
      if (before === undefined) Reflect.deleteProperty(owner, key);
      else Object.defineProperty(owner, key, before);
    });
    Object.defineProperty(owner, key, { configurable: true, enumerable: true, writable: true, ...before, value });
  };
  const watch = (what: string): void => {
    if (inNode() && isProjectCode()) caught({ what, instead: STEP });
  };
  const watched = (owner: object, key: string, what: string): void => {
    const real = Reflect.get(owner, key) as (...given: unknown[]) => unknown;
    const stand = (...given: unknown[]): unknown => {
      watch(what);
      return Reflect.apply(real, owner, given);
    };
    put(owner, key, Object.assign(stand, real));
  };
  const shown = (): number => {
    watch("the clock");
    return now();
  };
  const realDate = globalThis.Date;
  put(
    globalThis,
    "Date",
    new Proxy(realDate, {
      construct: (target, given, made) => Reflect.construct(target, given.length === 0 ? [shown()] : given, made),
      apply: () => new realDate(shown()).toString(),
      get: (target, key) => (key === "now" ? shown : Reflect.get(target, key)),
    }),
  );
  put(globalThis, "fetch", () => caught({ what: "fetch", instead: TOOL }));
  put(Socket.prototype, "connect", () => caught({ what: "a socket", instead: TOOL }));
  watched(Math, "random", "chance (Math.random)");
  for (const key of ["randomUUID", "getRandomValues"]) watched(globalThis.crypto, key, `chance (crypto.${key})`);
  for (const key of ["randomUUID", "randomBytes", "randomInt"]) watched(nodeCrypto, key, `chance (crypto.${key})`);
  for (const owner of [promisedTimers, nodeTimers, globalThis]) {
    for (const key of ["setTimeout", "setInterval"]) watched(owner, key, "a timer");
  }
  syncBuiltinESMExports(); // For those who import them by name.
  return () => {
    for (const each of undo.toReversed()) each();
    syncBuiltinESMExports();
  };
}
