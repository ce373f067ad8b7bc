// One effect on the command line: how it is named, and how it is listed.

import type { EffectRecord, Journal } from "../checkpoints/index.js";
import { CommandError } from "./exit.js";
import type { Terminal } from "./terminal.js";

/** Characters of a key that are shown, and that are enough to name it. */
export const SHORT = 12;

/** An effect as `--json` lists it. */
export const listingOf = (effect: EffectRecord) => ({
  key: effect.key,
  status: effect.status,
  tool: effect.tool,
  arguments: effect.arguments,
  thread: effect.thread,
  run: effect.run,
  callId: effect.callId,
  approval: effect.approval ?? null,
  compensates: effect.compensates ?? null,
  attempts: effect.attempts,
  receipt: effect.receipt ?? null,
  error: effect.error ?? null,
  resolution: effect.resolution ?? null,
  updated: new Date(effect.updatedAt).toISOString(),
});

/** The one effect whose key starts with `prefix`. @throws CommandError when there is none, or more than one. */
export async function effectNamed(prefix: string, journal: Journal, { program }: Terminal): Promise<EffectRecord> {
  const named = (await journal.effects()).filter(({ key }) => key.startsWith(prefix));
  const [effect, ...others] = named;
  if (effect === undefined) {
    throw new CommandError(`there is no effect ${prefix}. List them: ${program} effects`);
  }
  if (others.length === 0) return effect;
  const keys = named.map(({ key }) => key.slice(0, Math.max(SHORT, prefix.length + 4))).join(", ");
  throw new CommandError(`${prefix} is the beginning of ${named.length} effects: ${keys}. Write more of its key.`);
}
