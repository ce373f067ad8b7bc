// What became of calls that a thread has no answer to. A user who goes on abandons what was under way, and a crash or an
// edit takes answers away; whether a call has done something by then the ledger knows, and the model is told.

import type { RunnableConfig } from "@langchain/core/runnables";
import { handlersOf } from "../capacity/index.js";
import type { Journal } from "../checkpoints/index.js";
import { label, mark, meetMarks, TOP, type TrustMark } from "../trust/index.js";
import { findTool } from "./calls.js";
import { effectKey } from "./effect.js";
import { closingText, type LostCall, outcomeOf } from "./history.js";
import { type EventOf, OUTSIDE, type OutsideStandIn, outside } from "./outside.js";
import { scopeOf } from "./scope.js";
import type { Step } from "./step.js";
import { HarnessTool } from "./tool.js";
import type { Toolbox } from "./toolbox.js";

/** What is told of lost calls. */
export interface Closings {
  /** In place of the answers, by the intents of the calls. */
  readonly told: ReadonlyMap<string, string>;
  /** An effect of which nobody knows whether it happened is in doubt, whoever went on. */
  readonly mark: TrustMark;
}

type Fate = EventOf<"lost.calls">["calls"][number];

/** Asks the ledger about calls without an answer. What it says is recorded, when it is more than that they were cancelled. */
export async function closingsOf(
  calls: readonly LostCall[],
  { journal, toolbox }: { readonly journal: Journal; readonly toolbox: Toolbox },
  { config, root, at }: Pick<Step, "config" | "root" | "at">,
): Promise<Closings> {
  if (calls.length === 0) return { told: new Map(), mark: TOP };
  const fates = await recorded(config, () =>
    Promise.all(calls.map((call) => fateOf(call, findTool(toolbox.tools, call.name), journal, root))),
  );
  const known = calls.map((call): Fate => fates.find(({ callId }) => callId === call.id) ?? cancelled(call));
  const doubts = known.filter(({ outcome }) => outcome === "in doubt");
  return {
    told: new Map(calls.map(({ intent }, index) => [intent, closingText(known[index] as Fate)])),
    mark: meetMarks(...doubts.map(({ tool }) => mark(label({ certainty: 0 }), `outcome of ${tool} unknown`, at))),
  };
}

const cancelled = ({ id, name }: LostCall): Fate => ({ callId: id, tool: name, outcome: "cancelled" });

/** A record from before this was asked has nothing of it: the calls were told to be cancelled. */
async function recorded(config: RunnableConfig, look: () => Promise<readonly Fate[]>): Promise<readonly Fate[]> {
  const [standIn] = handlersOf(config.callbacks).flatMap(
    (each) => (each as { [OUTSIDE]?: OutsideStandIn })[OUTSIDE] ?? [],
  );
  const found = standIn === undefined ? await look() : [];
  const isNews =
    standIn === undefined
      ? found.some(({ outcome }) => outcome !== "cancelled")
      : standIn.has?.(scopeOf(config), "lost.calls", {});
  if (!isNews) return found;
  return outside(config, {
    kind: "lost.calls",
    asked: {},
    look: async () => found,
    tell: (calls) => ({ kind: "lost.calls", calls }),
    read: ({ calls }) => calls,
  });
}

/** What has an effect is in the ledger before it is sent. What is not there was not sent. */
async function fateOf(
  call: LostCall,
  tool: ReturnType<typeof findTool>,
  journal: Journal,
  root: string,
): Promise<Fate> {
  if (!(tool instanceof HarnessTool) || tool.effect === "none") return { ...cancelled(call), outcome: outcomeOf(call) };
  const key = effectKey(root, call.intent, tool, call.args);
  const status = (await journal.effect(key))?.status ?? "intended";
  if (status === "intended") return cancelled(call);
  const outcome = status === "committed" ? "done" : status === "failed" ? "failed" : "in doubt";
  return { ...cancelled(call), outcome, key };
}
