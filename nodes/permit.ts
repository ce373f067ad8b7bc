// A permit is the key to one effect with one set of arguments, and opens once. Its brand is a private field, so that no JSON, no
// model and no caller can make one up; minting is not part of the public face of this folder.

import { digest } from "../trust/index.js";

/** Lets exactly one tool run with exactly these arguments. Minted from the effect ledger, after the gate. */
export interface Permit {
  /** The effect's idempotency key. */
  readonly key: string;
  /** Digest of the tool's digest and the canonical arguments. */
  readonly action: string;
}

class MintedPermit implements Permit {
  #unused = true;

  constructor(
    readonly key: string,
    readonly action: string,
  ) {
    Object.freeze(this);
  }

  /** Whether it was minted here for this action and not used yet. It is used up by that. */
  static spend(permit: object, action: string): boolean {
    if (!(#unused in permit) || !permit.#unused || permit.action !== action) return false;
    permit.#unused = false;
    return true;
  }
}

/** Names an action: which implementation, with which arguments. */
const actionDigest = (tool: { readonly digest: string }, args: unknown): string =>
  digest({ tool: tool.digest, arguments: args });

/** Mints a permit. Only `act` calls it, for an effect that the ledger has dispatched. */
export const mintPermit = (key: string, tool: { readonly digest: string }, args: unknown): Permit =>
  new MintedPermit(key, actionDigest(tool, args));

/** Uses the permit up. `false` unless it was minted here for this tool and these arguments, and not used before. */
export const spendPermit = (permit: Permit | undefined, tool: { readonly digest: string }, args: unknown): boolean =>
  permit !== undefined && MintedPermit.spend(permit, actionDigest(tool, args));
