// `--why`: the cause and its step in the first lines, and the shortest chain from there to the decision.

import { describe, expect, test } from "vitest";
import { whyOf } from "../../cli/inspect/why.js";
import { BOTTOM, label } from "../../trust/index.js";
import { answered, ended, fell, judged, recordOf, started, used } from "./record.js";
import { eventfulRun } from "./scenario.js";

const tools = { step: 12, node: "tools" };
const gate = { step: 14, node: "gate" };
const low = { axis: "integrity", rank: 0, floor: 2 } as const;

describe("by hand", () => {
  test("names the step and the cause first, and leaves out what led nowhere", () => {
    const { about, summary, chain } = whyOf(
      recordOf(
        [{}, started],
        [{ step: 2, node: "tools" }, used("list", { integrity: 2 })],
        [{ step: 2, node: "tools" }, fell("integrity", 3, 2, "read through list")],
        [tools, used("read_ticket_text", { integrity: 0 })],
        [tools, used("look", { integrity: 2 })],
        [tools, fell("integrity", 2, 0, "a web form")],
        [{ step: 13, node: "tools" }, used("read_ticket_text", { integrity: 0 })],
        [gate, judged("block", "erase", [low])],
        [{}, ended("blocked")],
      ),
    );
    expect(about).toBe("block");
    expect(summary).toEqual([
      "integrity fell to 0 at step 12 (tools: read_ticket_text): a web form",
      'so the gate blocked erase(id: "7") at step 14 (gate): integrity 0 below 2',
    ]);
    expect(chain.map(({ role, seq }) => [role, seq])).toEqual([
      ["read", 4],
      ["fall", 6],
      ["decision", 8],
    ]);
  });

  test("of calls side by side it is the one that the cause names", () => {
    const { summary, chain } = whyOf(
      recordOf(
        [{ step: 11, node: "tools" }, used("read_ticket", { integrity: 2 })],
        [tools, used("read_ticket", { integrity: 2 })],
        [tools, used("list", { integrity: 2 })],
        [tools, fell("integrity", 3, 2, "read through read_ticket")],
      ),
    );
    expect(summary).toEqual(["integrity fell to 2 at step 12 (tools: read_ticket): read through read_ticket"]);
    expect(chain.map(({ seq }) => seq)).toEqual([2, 4]);
  });

  test("of several runs the latest question or block counts, with what people and the tool did after it", () => {
    const effect = { kind: "effect", tool: "pay", key: "k" } as const;
    const { about, summary, chain } = whyOf(
      recordOf(
        [tools, used("read_ticket_text", { integrity: 0 })],
        [tools, fell("integrity", 3, 0, "a web form")],
        [gate, judged("block", "erase", [low])],
        [{ run: "r2", step: 20, node: "planner" }, answered({ route: "s", primary: "m", fallbackReason: "overload" })],
        [{ run: "r2", step: 20, node: "planner" }, fell("fidelity", 3, 1, "fallback: s")],
        [{ run: "r2", step: 21, node: "gate" }, judged("ask", "pay", [{ axis: "fidelity", rank: 1, floor: 2 }])],
        [{ run: "r2" }, { kind: "approval.decided", id: "approval-pay", tool: "pay", decision: "approved", by: "ada" }],
        [{ run: "r2", step: 21, node: "gate" }, judged("ask", "pay", [{ axis: "fidelity", rank: 1, floor: 2 }])],
        [{ run: "r2" }, { kind: "approval.decided", id: "another", tool: "pay", decision: "approved", by: "ada" }],
        [
          { run: "r2", step: 22, node: "act" },
          { ...effect, status: "dispatched" },
        ],
        [
          { run: "r2", step: 22, node: "act" },
          { ...effect, key: "other", status: "committed" },
        ],
        [
          { run: "r2", step: 22, node: "act" },
          { ...effect, status: "committed" },
        ],
      ),
    );
    expect(about).toBe("ask");
    expect(summary[0]).toBe("fidelity fell to 1 at step 20 (planner: s): fallback: s");
    expect(chain.map(({ role, seq }) => [role, seq])).toEqual([
      ["read", 4],
      ["fall", 5],
      ["approval", 7],
      ["decision", 8],
      ["effect", 10],
      ["effect", 12],
    ]);
  });

  test("what another call of the same tool did afterwards is not told as this one's", () => {
    const decided = {
      kind: "approval.decided",
      id: "approval-pay",
      tool: "pay",
      decision: "rejected",
      by: "ada",
    } as const;
    const { chain } = whyOf(
      recordOf(
        [gate, judged("ask", "pay")],
        [{}, decided],
        [gate, { ...judged("allow", "pay"), callId: "another" }],
        [
          { step: 15, node: "act" },
          { kind: "effect", tool: "pay", key: "k", status: "dispatched" },
        ],
      ),
    );
    expect(chain.map(({ role }) => role)).toEqual(["decision", "approval"]);
  });

  test("a fall in a subagent is followed to the lane of the run", () => {
    const lane = { lane: "reader:call_1", node: "tools", step: 3 };
    const { summary, chain } = whyOf(
      recordOf(
        [lane, used("read_web", { integrity: 0 })],
        [lane, fell("integrity", 3, 0, "a web page")],
        [{ step: 5, node: "delegate" }, fell("integrity", 3, 0, "a web page")],
      ),
    );
    expect(summary).toEqual(["integrity fell to 0 at step 3 (reader#1 tools: read_web): a web page"]);
    expect(chain.map(({ role, lane: of, step }) => [role, of, step])).toEqual([
      ["read", "reader#1", 3],
      ["fall", "reader#1", 3],
      ["carried", undefined, 5],
    ]);
  });

  test("says so when nothing fell", () => {
    expect(whyOf(recordOf([{}, started], [{}, ended("finished")]))).toEqual({
      about: "label",
      summary: ["nothing fell: the trust is nominal, and nothing was asked or blocked"],
      chain: [],
    });
  });

  test("a question of the policy alone, and a label that nothing here brought about", () => {
    expect(whyOf(recordOf([gate, judged("ask", "pay")])).summary).toEqual([
      "nothing fell that counted here",
      'so the gate asked for pay(id: "7") at step 14 (gate)',
    ]);
    expect(whyOf(recordOf([gate, judged("block", "pay", [low])])).summary[0]).toMatch(
      /^integrity was 0 without a fall in this record/,
    );
  });

  test("a thread that goes on from another one began with its label", () => {
    const derived = { kind: "thread.derived", from: "t0", step: 3, as: "rewind", floor: BOTTOM } as const;
    const other = { kind: "trust.fell", from: label({ integrity: 0 }), to: BOTTOM, causes: [] } as const;
    const { summary, chain } = whyOf(recordOf([{}, derived], [tools, other], [gate, judged("block", "pay", [low])]));
    expect(summary[0]).toMatch(/^integrity was 0 .*: goes on from step 3 of t0 \(rewind\)/);
    expect(chain.map(({ role }) => role)).toEqual(["began", "decision"]);
    expect(whyOf(recordOf([{}, derived])).summary).toHaveLength(4);
  });
});

test("a real run with a fallback, subagents, an interrupt, a resume and a block", async () => {
  const { about, summary, chain } = whyOf(await eventfulRun());
  expect(about).toBe("block");
  expect(summary).toEqual([
    "integrity fell to 0 at step 15 (tools: read_web): a web page",
    "fidelity fell to 1 at step 3 (planner: offline-small): fallback: offline-small (offline-large: overload)",
    "certainty fell to 2 at step 3 (planner: offline-small): retry after a clean failure",
    expect.stringMatching(/^so the gate blocked erase\(id: "all"\) at step 19 \(gate\): integrity 0 below 3/),
  ]);
  expect(chain.map(({ role, step }) => [role, step])).toEqual([
    ["read", 3],
    ["fall", 3],
    ["read", 15],
    ["fall", 15],
    ["decision", 19],
  ]);
});
