import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { storableWrite } from "../../trust/channel.js";
import {
  BOTTOM,
  begin,
  label,
  MAX_CAUSES,
  mark,
  meet,
  meetMarks,
  type Rank,
  TOP,
  TrustChannel,
  type TrustWrite,
  trustOf,
} from "../../trust/index.js";
import { anyLabel, neverAbove, notALabel } from "./generators.js";

const channelAt = (...writes: TrustWrite[][]): TrustChannel => {
  const channel = new TrustChannel();
  for (const superstep of writes) channel.update(superstep);
  return channel;
};

/** What a saver does to a channel: JSON and back. */
const reloaded = (channel: TrustChannel): TrustChannel => {
  const text = JSON.stringify(channel.checkpoint());
  return new TrustChannel().fromCheckpoint(text === undefined ? undefined : JSON.parse(text));
};

describe("TrustChannel", () => {
  it("reads as the bottom, with a reason, until it begins", () => {
    const trust = new TrustChannel().get();
    expect(trust).toMatchObject({ ...BOTTOM, minTrust: 0, violations: 0 });
    expect(trust.causes[0]?.reason).toBe("no label: this thread never began with one");
    expect(new TrustChannel().checkpoint()).toBeUndefined();
    expect(new TrustChannel().isAvailable()).toBe(true);
  });

  it("begins once; on a channel that has a label a beginning is an ordinary mark", () => {
    expect(channelAt([begin(TOP)]).get()).toMatchObject({ ...TOP, minTrust: 3, causes: [] });
    expect(channelAt([begin(label({ fidelity: 1 }))], [begin(TOP)]).get()).toMatchObject(label({ fidelity: 1 }));
    expect(channelAt([begin(TOP)], [begin(label({ fidelity: 1 }))]).get()).toMatchObject(label({ fidelity: 1 }));
  });

  it("does not take a plain label for a beginning", () => {
    expect(channelAt([TOP]).get()).toMatchObject(BOTTOM);
    expect(channelAt([TOP], [begin(TOP)]).get()).toMatchObject(BOTTOM);
  });

  it("folds a superstep whatever the order of its writes", () => {
    const writes: TrustWrite[] = [
      begin(TOP),
      mark(label({ fidelity: 1 }), "fallback"),
      mark(label({ currency: 2 }), "cache"),
    ];
    for (const order of [writes, [...writes].reverse()]) {
      const trust = channelAt(order).get();
      expect(trust).toMatchObject({ integrity: 3, fidelity: 1, currency: 2, certainty: 3, minTrust: 1 });
      expect(trust.causes.map((each) => each.reason).sort()).toEqual(["cache", "fallback"]);
    }
  });

  it("counts a write that is no label as the bottom and as a violation, and says what it was", () => {
    const channel = channelAt([begin(TOP)], [{ __overwrite__: TOP } as never, "x" as never, mark(TOP, "fine")]);
    expect(channel.get()).toMatchObject({ ...BOTTOM, violations: 2 });
    expect(channel.get().causes[0]?.reason).toBe("illegal write to the trust channel: {__overwrite__}, string");
    channel.update([undefined as never]);
    expect(channel.get().violations).toBe(3);
  });

  it("does not begin in a superstep that also has an illegal write", () => {
    expect(channelAt([begin(TOP), 7 as never]).get()).toMatchObject(BOTTOM);
  });

  it("says whether it changed, also when only the causes did", () => {
    const explained = (reason: string, rank: Rank) => ({
      ...TOP,
      causes: [{ axis: "fidelity" as const, rank, reason }],
    });
    const channel = channelAt([begin(TOP)]);
    expect(channel.update([])).toBe(false);
    expect(channel.update([TOP])).toBe(false);
    expect(channel.update([mark(label({ currency: 1 }), "a")])).toBe(true);
    expect(channel.update([explained("b", 2)])).toBe(true);
    for (let index = 0; index < MAX_CAUSES; index += 1) channel.update([explained(`mild ${index}`, 2)]);
    expect(channel.get().causes).toHaveLength(MAX_CAUSES);
    expect(channel.update([explained("graver, so a mild cause has to go", 1)])).toBe(true);
    expect(channel.get().causes).toHaveLength(MAX_CAUSES);
  });

  it("explains a fall once: a later cause at the same rank adds nothing", () => {
    const channel = channelAt([begin(TOP)], [mark(label({ fidelity: 1 }), "the first")]);
    expect(channel.update([mark(label({ fidelity: 1 }), "the second")])).toBe(false);
    channel.update([mark(label({ fidelity: 0 }), "the third")]);
    expect(channel.get().causes.map((each) => each.reason)).toEqual(["the first", "the third"]);
  });

  it("survives its checkpoint, causes and violations included", () => {
    const channel = channelAt([begin(TOP)], [mark(label({ fidelity: 1 }), "fallback", "planner#4")], [null as never]);
    expect(reloaded(channel).get()).toEqual(channel.get());
    expect(reloaded(new TrustChannel()).get()).toMatchObject(BOTTOM);
    expect(reloaded(new TrustChannel()).update([begin(TOP)])).toBe(true);
  });

  it("gives each reload a value of its own", () => {
    const template = new TrustChannel();
    const one = template.fromCheckpoint();
    one.update([begin(TOP)]);
    expect(template.fromCheckpoint().get()).toMatchObject(BOTTOM);
  });

  it("counts an unreadable violation counter as a violation", () => {
    const stored = { v: 1, ...TOP, causes: "none", violations: "none" };
    expect(new TrustChannel().fromCheckpoint(stored).get()).toMatchObject({ ...TOP, causes: [], violations: 1 });
  });

  it("is the same kind of channel as any other trust channel", () => {
    expect(new TrustChannel().equals(new TrustChannel())).toBe(true);
    expect(new TrustChannel().lc_graph_name).toBe("Trust");
  });

  it("never rises, whatever is written and however often it is stored and reloaded", () => {
    const illegal = notALabel.map(({ name, make }) => ({ name, make: () => make() as TrustWrite }));
    const write = fc.oneof(
      anyLabel.map((each) => ({ name: "label", make: (): TrustWrite => each })),
      anyLabel.map((each) => ({ name: "begin", make: () => begin(each) })),
      illegal,
    );
    fc.assert(
      fc.property(anyLabel, fc.array(fc.array(write, { maxLength: 4 }), { maxLength: 6 }), (start, supersteps) => {
        let channel = channelAt([begin(start)]);
        for (const superstep of supersteps) {
          const before = channel.get();
          channel.update(superstep.map(({ make }) => make()));
          expect(neverAbove(channel.get(), before)).toBe(true);
          expect(channel.get().violations).toBeGreaterThanOrEqual(before.violations);
          channel = reloaded(channel);
        }
      }),
    );
  });
});

describe("storableWrite", () => {
  it("keeps a mark and a beginning, without what a node's state adds to them", () => {
    const marked = mark(label({ fidelity: 1 }), "fallback");
    expect(storableWrite(marked)).toEqual(marked);
    expect(storableWrite(begin(TOP))).toEqual({ begins: { ...TOP, causes: [] } });
    expect(storableWrite(trustOf(TOP))).toEqual({ ...TOP, causes: [] });
  });

  it("turns everything into JSON that the channel judges as it would have judged the original", () => {
    fc.assert(
      fc.property(notALabel, ({ make }) => {
        const stored = storableWrite(make());
        expect(JSON.parse(JSON.stringify(stored))).toEqual(stored);
        expect(storableWrite(stored)).toEqual(stored);
        const channel = channelAt([begin(TOP)], [stored as never]);
        expect(channel.get()).toMatchObject({ ...BOTTOM, violations: 1 });
      }),
    );
  });

  it("says what the write was", () => {
    expect(storableWrite(() => 1)).toEqual({ illegal: "function" });
    expect(storableWrite({ __overwrite__: TOP })).toEqual({ illegal: "{__overwrite__}" });
  });
});

describe("marks", () => {
  it("carry a cause for each axis they lower", () => {
    expect(mark(label({ fidelity: 1 }), "fallback: offline-small", "planner#4")).toEqual({
      ...label({ fidelity: 1 }),
      causes: [{ axis: "fidelity", rank: 1, reason: "fallback: offline-small", at: "planner#4" }],
    });
  });

  it("meet into one", () => {
    const both = meetMarks(mark(label({ fidelity: 1 }), "a"), mark(label({ currency: 2 }), "b"), TOP);
    expect(both).toMatchObject(meet(label({ fidelity: 1 }), label({ currency: 2 })));
    expect(both.causes?.map((each) => each.reason)).toEqual(["a", "b"]);
    expect(meetMarks()).toEqual({ ...TOP, causes: [] });
  });
});
