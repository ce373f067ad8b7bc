// Writes into a thread's state from outside of a run: `updateState` of a program, an edit in Studio. Whoever does it is
// a source like any other; nobody in particular is the worst one.

import type { RunnableConfig } from "@langchain/core/runnables";
import type { Journal } from "../checkpoints/index.js";
import { BOTTOM, type Policy, TOP } from "../trust/index.js";
import { approverOf } from "./approval.js";
import { toText } from "./input.js";
import { type Values, vouch } from "./provenance.js";
import { scopeOf } from "./scope.js";

/** One write, as LangGraph's `bulkUpdateState` takes it. */
export interface StateUpdate {
  readonly values?: unknown;
  readonly asNode?: string | undefined;
}

/**
 * Labels what is about to be written and records who writes it: the label of the operator whom the server has
 * authenticated for the fields written, the bottom for anybody else. A value that was known keeps the lower label.
 */
export async function labelUpdates(
  journal: Journal,
  config: RunnableConfig,
  updates: readonly StateUpdate[],
  policy: Policy,
): Promise<void> {
  const { thread } = scopeOf(config);
  const { by, authenticated } = approverOf(config, policy);
  const known = authenticated === "server";
  const run = journal.id("update");
  for (const { values, asNode } of updates) {
    if (typeof values !== "object" || values === null) continue; // A copy or a clearing brings nothing of its own.
    await vouch(journal, thread, values as Values, known ? TOP : BOTTOM);
    const given = journal.keep(await toText(values));
    await journal.append(
      { thread, run },
      {
        kind: "state.update",
        fields: Object.keys(values),
        ...(known ? { by } : {}),
        ...(asNode === undefined ? {} : { as: asNode }),
        values: given.digest,
      },
      [given],
    );
  }
}
