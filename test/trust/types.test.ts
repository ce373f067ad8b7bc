// What the compiler has to accept and refuse. `tsc` fails on an unused `@ts-expect-error`.

import { MessagesValue } from "@langchain/langgraph";
import { describe, expectTypeOf, it } from "vitest";
import { z } from "zod";
import { type Label, label, mark, type Rank, type Trust, TrustedState, type TrustWrite } from "../../trust/index.js";

const State = new TrustedState({ messages: MessagesValue, plan: z.string().default("") });

describe("types", () => {
  it("give a node the whole trust and let it write marks", () => {
    expectTypeOf<(typeof State.State)["trust"]>().toEqualTypeOf<Trust>();
    expectTypeOf<(typeof State.State)["plan"]>().toEqualTypeOf<string>();
    expectTypeOf(mark(label({ fidelity: 1 }), "why")).toExtend<NonNullable<(typeof State.Update)["trust"]>>();
    expectTypeOf<TrustWrite>().toExtend<NonNullable<(typeof State.Update)["trust"]>>();
  });

  it("let a trust be used as a label, and a label be read only", () => {
    expectTypeOf<Trust>().toExtend<Label>();
    const top: Label = label({});
    // @ts-expect-error: labels are read-only
    expectTypeOf(() => (top.fidelity = 1)).toBeFunction();
  });

  it("refuse ranks and axes that do not exist", () => {
    // @ts-expect-error: there is no rank 4
    expectTypeOf(() => label({ fidelity: 4 })).toBeFunction();
    // @ts-expect-error: there is no such axis
    expectTypeOf(() => label({ charm: 1 })).toBeFunction();
    expectTypeOf<Rank>().toEqualTypeOf<0 | 1 | 2 | 3>();
  });
});
