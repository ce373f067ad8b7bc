// What an approval and an effect are bound to: exactly this action, of this thread, under this policy, at this label.
// Gate and act compute it independently; any difference stops the action.

import { digest, type Label, meet, type Profile } from "../trust/index.js";
import type { OpenCall } from "./calls.js";
import { HarnessTool } from "./tool.js";
import type { Toolbox } from "./toolbox.js";

/** Everything that a human is shown and that must still be true when the action is dispatched. */
export interface Binding {
  readonly thread: string;
  readonly callId: string;
  readonly tool: string;
  readonly toolDigest: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly policyDigest: string;
  readonly considered: Label;
}

/** SHA-256 over all fields of a binding. */
export const bindingDigest = (binding: Binding): string => digest({ version: 1, ...binding });

/** The binding of one call. */
export const bindingOf = (
  thread: string,
  call: Pick<OpenCall, "id"> & { readonly args: Readonly<Record<string, unknown>> },
  tool: HarnessTool,
  policyDigest: string,
  considered: Label,
): Binding => ({
  thread,
  callId: call.id,
  tool: tool.name,
  toolDigest: tool.digest,
  arguments: call.args,
  policyDigest,
  considered: meet(considered),
});

/** Names a policy: the profile and every gated tool with its floor. */
export const policyDigest = (profile: Profile, toolbox: Toolbox): string =>
  digest({
    profile,
    tools: toolbox.tools
      .filter((tool) => tool instanceof HarnessTool)
      .map((tool) => ({ name: tool.name, digest: tool.digest, floor: tool.floor ?? null }))
      .sort((left, right) => (left.name < right.name ? -1 : 1)),
  });
