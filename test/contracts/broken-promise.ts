// What a contract says when it is not kept, and what a contract is made of.

/** A promise was not kept. The message names the promise, what happened instead, and what to change. */
export class BrokenPromiseError extends Error {
  override readonly name = "BrokenPromiseError";
  readonly code = "BROKEN_PROMISE";
}

/** Fails the case. */
export function broken(what: string): never {
  throw new BrokenPromiseError(what);
}

/** One case of a contract. `run` rejects with {@link BrokenPromiseError} when the promise is not kept. */
export interface ContractCase {
  readonly name: string;
  run(): Promise<void>;
}
