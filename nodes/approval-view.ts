// A stored request as a person sees it: in the interrupt, in listings and in the result of a run. Needs no graph.

import type { ApprovalRecord } from "../checkpoints/index.js";
import { describeCause } from "../trust/cause.js";
import type { Deficit, Label } from "../trust/index.js";

/** One action a person is asked about, as Studio and the API show it. */
export interface ApprovalView {
  readonly id: string;
  readonly tool: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** The action and its preview as text, with nothing hidden in it. */
  readonly view: string;
  readonly trust: Label;
  readonly deficits: readonly Deficit[];
  /** Why a person is asked. */
  readonly reasons: readonly string[];
  readonly causes: readonly string[];
  /** ISO 8601. */
  readonly expires: string;
}

/** Shows a stored request to a person. */
export const viewOf = (record: ApprovalRecord): ApprovalView => ({
  id: record.id,
  tool: record.tool,
  arguments: record.arguments,
  view: record.view,
  trust: record.considered,
  deficits: record.deficits,
  reasons: record.reasons,
  causes: record.causes.map(describeCause),
  expires: new Date(record.expiresAt).toISOString(),
});
