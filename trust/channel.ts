// The LangGraph channel that keeps a thread's trust. It only ever meets: a reducer would not do, because
// LangGraph's `Overwrite` goes around reducers. It absorbs instead of throwing, because a write that throws has
// already been stored and would break the thread's history for good.

import { BaseChannel } from "@langchain/langgraph/channels";
import { type Cause, causesOf, mergeCauses, parseCauses } from "./cause.js";
import { BOTTOM, type Label, meet, minTrust, type Rank, readLabel, sameLabel } from "./label.js";

/** What a node reads: the four ranks, their minimum, why they fell, and how many writes were no labels. */
export interface Trust extends Label {
  /** The lowest of the four ranks. Derived; never stored. */
  readonly minTrust: Rank;
  /** For explanation only. */
  readonly causes: readonly Cause[];
  /** Writes that were not labels (an `Overwrite`, a number, `undefined`). Each one dropped the label to the bottom. */
  readonly violations: number;
}

/** What a node returns to lower the trust: a label, with the causes to show. */
export interface TrustMark extends Label {
  readonly causes?: readonly Cause[];
}

/**
 * The first label of a fresh thread or of a child graph. It counts only while the channel holds nothing; on a
 * channel that already has a label it is an ordinary mark.
 */
export interface TrustBeginning {
  readonly begins: TrustMark;
}

/** Everything the channel accepts as a write. Anything else counts as the bottom label and as a violation. */
export type TrustWrite = TrustMark | TrustBeginning;

/** A write that is no label, as it is stored: what it was, in words. Reads as a violation like any other. */
interface IllegalWrite {
  readonly illegal: string;
}

/** A stored channel value. `v` is the format's version; an unknown one reads as the bottom. */
interface StoredTrust extends Label {
  readonly v: 1;
  readonly causes: readonly Cause[];
  readonly violations: number;
}

/** A mark that lowers the axes given and says why: `mark({ fidelity: 1 }, "fallback: offline-small", "planner#4")`. */
export function mark(label: Label, reason: string, at?: string): TrustMark {
  return { ...label, causes: causesOf(label, reason, at) };
}

/** The write that gives a fresh thread or a child graph its first label. */
export const begin = (label: Label, causes: readonly Cause[] = []): TrustBeginning => ({
  begins: { ...label, causes },
});

/** Combines marks and trusts into one mark: ranks by the minimum, causes joined. */
export function meetMarks(...marks: readonly TrustMark[]): TrustMark {
  return { ...meet(...marks), causes: mergeCauses(...marks.map((each) => each.causes ?? [])) };
}

const withDerived = (label: Label, causes: readonly Cause[], violations: number): Trust =>
  Object.freeze({ ...label, minTrust: minTrust(label), causes: Object.freeze([...causes]), violations });

/** A trust of the given label with nothing to explain. */
export const trustOf = (label: Label, causes: readonly Cause[] = []): Trust => withDerived(label, causes, 0);

const UNLABELLED = withDerived(BOTTOM, causesOf(BOTTOM, "no label: this thread never began with one"), 0);

const describeWrite = (write: unknown): string => {
  if (write === undefined) return "undefined";
  if (typeof write !== "object" || write === null) return typeof write;
  try {
    const { illegal } = write as Partial<IllegalWrite>;
    return typeof illegal === "string" ? illegal : `{${Object.keys(write).slice(0, 4).join(", ")}}`;
  } catch {
    return "an unreadable object";
  }
};

interface ReadWrite {
  readonly label: Label;
  readonly causes: readonly Cause[];
  readonly begins: boolean;
}

function readWrite(write: unknown): ReadWrite | undefined {
  if (typeof write !== "object" || write === null) return undefined;
  try {
    const beginning = (write as { begins?: unknown }).begins;
    const source = beginning === undefined ? write : beginning;
    const label = readLabel(source);
    if (label === undefined) return undefined;
    return { label, causes: parseCauses((source as { causes?: unknown }).causes), begins: beginning !== undefined };
  } catch {
    return undefined; // A write that cannot even be read is reported as a violation by the caller.
  }
}

/**
 * A copy of a write that JSON can hold, for the state schema to pass on. A function, a bigint or a symbol would be
 * stored as nothing at all, and the thread's history could never be read again. Total and idempotent.
 */
export function storableWrite(write: unknown): TrustWrite | IllegalWrite {
  const read = readWrite(write);
  if (read === undefined) return { illegal: describeWrite(write) };
  const stored: TrustMark = { ...read.label, causes: read.causes };
  return read.begins ? { begins: stored } : stored;
}

/** Only what makes an axis fall explains it; a later cause at the same rank would only add noise. */
const newIn = (causes: readonly Cause[], start: Label | undefined): readonly Cause[] =>
  start === undefined ? causes : causes.filter((cause) => cause.rank < start[cause.axis]);

function restore(saved: unknown): Trust {
  const label = readLabel(saved);
  const damaged = () => withDerived(BOTTOM, causesOf(BOTTOM, "stored label is damaged or of an unknown version"), 0);
  if (label === undefined) return damaged();
  const { v, causes, violations } = saved as Partial<Record<keyof StoredTrust, unknown>>;
  if (v !== 1) return damaged();
  return withDerived(label, parseCauses(causes), typeof violations === "number" ? violations : 1);
}

/**
 * The channel. Holds nothing until a {@link TrustBeginning} arrives and reads as the bottom until then, so a thread
 * that existed before the channel did is never trusted. Source: design.md, section Trust; trust-replay.md, section 5.3.
 */
export class TrustChannel extends BaseChannel<Trust, TrustWrite, unknown> {
  lc_graph_name = "Trust";
  private value: Trust | undefined;

  override fromCheckpoint(saved?: unknown): this {
    const channel = new TrustChannel();
    if (saved !== undefined) channel.value = restore(saved);
    return channel as this;
  }

  /** Folds all writes of a superstep; their order does not matter. Never throws. */
  override update(writes: TrustWrite[]): boolean {
    if (writes.length === 0) return false;
    const read = writes.map(readWrite);
    const illegal = writes.filter((_, index) => read[index] === undefined);
    const legal = read.filter((each) => each !== undefined);
    const start = this.value ?? (legal.some((each) => each.begins) ? undefined : UNLABELLED);
    const violation =
      illegal.length === 0
        ? []
        : causesOf(BOTTOM, `illegal write to the trust channel: ${illegal.map(describeWrite).join(", ")}`);
    const label = meet(
      ...(start === undefined ? [] : [start]),
      ...legal.map((each) => each.label),
      ...(illegal.length > 0 ? [BOTTOM] : []),
    );
    const next = withDerived(
      label,
      mergeCauses(start?.causes ?? [], ...legal.map((each) => newIn(each.causes, start)), violation),
      (start?.violations ?? 0) + illegal.length,
    );
    const before = this.value;
    this.value = next;
    return (
      before === undefined ||
      !sameLabel(before, next) ||
      before.violations !== next.violations ||
      before.causes.length !== next.causes.length ||
      before.causes.some((cause, index) => cause !== next.causes[index])
    );
  }

  override get(): Trust {
    return this.value ?? UNLABELLED;
  }

  override checkpoint(): unknown {
    if (this.value === undefined) return undefined;
    const { integrity, fidelity, currency, certainty, causes, violations } = this.value;
    return { v: 1, integrity, fidelity, currency, certainty, causes, violations } satisfies StoredTrust;
  }

  override isAvailable(): boolean {
    return true;
  }

  override equals(other: BaseChannel): boolean {
    return other.lc_graph_name === this.lc_graph_name;
  }
}
