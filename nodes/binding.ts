// What an approval and an effect are bound to: exactly this action, of this thread, under this policy, at this label.
// Gate and act compute it independently; any difference stops the action.

import { digest, type Label, meet } from "../trust/index.js";
import type { OpenCall } from "./calls.js";
import type { Step } from "./step.js";
import type { HarnessTool } from "./tool.js";

/** Everything that a human is shown and that must still be true when the action is dispatched. */
export interface Binding {
  readonly root: string;
  readonly thread: string;
  readonly lane: string | null;
  /** Which call of which message. */
  readonly intent: string;
  readonly tool: string;
  readonly toolDigest: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** Whether a person was told that the same was done before. */
  readonly mayRepeat: boolean;
  /** Digest of what the preview says must still hold. */
  readonly preconditions: string | null;
  readonly policyDigest: string;
  readonly considered: Label;
}

/** SHA-256 over all fields of a binding. */
export const bindingDigest = (binding: Binding): string => digest({ version: 2, operation: "tool call", ...binding });

/** What a call is bound to beside itself. */
interface Circumstances {
  readonly mayRepeat: boolean;
  readonly preconditions: string | undefined;
  readonly policyDigest: string;
  readonly considered: Label;
}

/** The binding of one call. */
export const bindingOf = (
  { root, scope }: Pick<Step, "root" | "scope">,
  call: Pick<OpenCall, "intent"> & { readonly args: Readonly<Record<string, unknown>> },
  tool: HarnessTool,
  { mayRepeat, preconditions, policyDigest, considered }: Circumstances,
): Binding => ({
  root,
  thread: scope.thread,
  lane: scope.lane ?? null,
  intent: call.intent,
  tool: tool.name,
  toolDigest: tool.digest,
  arguments: call.args,
  mayRepeat,
  preconditions: preconditions ?? null,
  policyDigest,
  considered: meet(considered),
});
