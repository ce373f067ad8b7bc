// What the property tests of this folder draw from: labels, and values that are no labels. Hostile values are
// drawn as makers, because fast-check looks into what it draws.

import { Overwrite } from "@langchain/langgraph";
import fc from "fast-check";
import { BOTTOM, type Label, type Rank, readLabel, TOP } from "../../trust/index.js";

/** A value that is made when it is used, with the name a failing test shows. */
export interface Maker {
  readonly name: string;
  make(): unknown;
}

const maker = (name: string, make: () => unknown): Maker => ({ name, make });

const anyRank = fc.constantFrom<Rank>(0, 1, 2, 3);

/** Any label. */
export const anyLabel: fc.Arbitrary<Label> = fc.record(
  { integrity: anyRank, fidelity: anyRank, currency: anyRank, certainty: anyRank },
  { noNullPrototype: true },
);

/** The shapes in which LangGraph takes an overwrite, each with a top label inside. */
export const anyOverwrite: fc.Arbitrary<Maker> = fc.constantFrom(
  maker("new Overwrite(TOP)", () => new Overwrite({ ...TOP })),
  maker("{__overwrite__: TOP}", () => ({ __overwrite__: { ...TOP } })),
  maker("{type: __overwrite__, value: TOP}", () => ({ type: "__overwrite__", value: { ...TOP } })),
);

const notARank: readonly unknown[] = [-1, 4, 1.5, Number.NaN, Infinity, "3", null, undefined, true, [3], 3n, {}];

/** A top label with one rank missing or malformed. */
const damagedLabel: fc.Arbitrary<Maker> = fc
  .tuple(
    fc.constantFrom("integrity", "fidelity", "currency", "certainty"),
    fc.option(fc.constantFrom(...notARank), { nil: "drop" }),
  )
  .map(([axis, value]) =>
    maker(`TOP with ${axis} ${String(value)}`, () => {
      const damaged: Record<string, unknown> = { ...TOP, [axis]: value };
      if (value === "drop") delete damaged[axis];
      return damaged;
    }),
  );

const refuse = () => {
  throw new Error("hostile");
};

const hostile: fc.Arbitrary<Maker> = fc.constantFrom(
  maker("a throwing proxy", () => new Proxy({}, { get: refuse, ownKeys: refuse, has: refuse, getPrototypeOf: refuse })),
  maker("a revoked proxy", () => {
    const { proxy, revoke } = Proxy.revocable({ ...TOP }, {});
    revoke();
    return proxy;
  }),
  maker("a throwing getter", () => Object.defineProperty({ ...TOP }, "fidelity", { get: refuse, enumerable: true })),
  maker("[TOP]", () => [TOP]),
  maker("[3, 3, 3, 3]", () => [3, 3, 3, 3]),
  maker("a function", () => () => TOP),
  maker("a function with ranks", () => Object.assign(() => 1, TOP)),
  maker("a bigint", () => 10n),
  maker("a symbol", () => Symbol("trust")),
  maker("NaN", () => Number.NaN),
  maker("null", () => null),
  maker("3", () => 3),
  maker("the text TOP", () => "TOP"),
  maker("a label as JSON text", () => JSON.stringify(TOP)),
  maker("{begins: 3}", () => ({ begins: 3 })),
  maker("{begins: null}", () => ({ begins: null })),
  maker("{begins: overwrite}", () => ({ begins: { __overwrite__: TOP } })),
  maker("{label: TOP}", () => ({ label: TOP })),
  maker("a Map of ranks", () => new Map(Object.entries(TOP))),
);

/** Anything but `undefined` that is neither a label nor a beginning. */
export const notALabel: fc.Arbitrary<Maker> = fc.oneof(
  anyOverwrite,
  damagedLabel,
  hostile,
  fc
    .jsonValue()
    .filter((value) => readLabel(value) === undefined)
    .map((value) => maker(`JSON ${JSON.stringify(value)}`, () => structuredClone(value))),
);

/** Whether `child` is nowhere above `parent`. A second implementation on purpose: this is the oracle. */
export const neverAbove = (child: Label, parent: Label): boolean =>
  child.integrity <= parent.integrity &&
  child.fidelity <= parent.fidelity &&
  child.currency <= parent.currency &&
  child.certainty <= parent.certainty;

/** The ranks of a stored channel value; nothing stored is the bottom. */
export function ranksOf(stored: unknown): Label {
  if (stored === undefined) return BOTTOM;
  const { integrity, fidelity, currency, certainty } = stored as Label;
  return { integrity, fidelity, currency, certainty };
}
