// The contract of a tool with an effect: what it declares (`honoursKey`, `probe`, `preview`, `compensate`) is tried by
// crashing, retrying, forking and resuming it twice, in a small agent of its own on a real journal. A tool that promises
// what it does not keep fails, with the promise it broke and what to change.

import { describe, test } from "vitest";
import type { HarnessTool } from "../../nodes/index.js";
import type { ContractCase } from "./broken-promise.js";
import { crashCases } from "./effect-tool/crashes.js";
import { declarationCases } from "./effect-tool/declarations.js";
import { pathCases } from "./effect-tool/paths.js";
import type { EffectToolOptions } from "./effect-tool/trial.js";

export type { EffectToolOptions } from "./effect-tool/trial.js";

/** One case may take this long, in ms. */
const CASE_MS = 60_000;

/**
 * The tool under contract; or, so that a life after a crash starts as a new process does, a function that makes it. It is
 * called for every life.
 */
export type ToolUnderContract = HarnessTool | (() => HarnessTool);

/**
 * The cases of a tool's contract.
 *
 * @throws TypeError for a tool that declares `effect: "none"`: it promises nothing that could be tried.
 */
export function effectToolCases(tool: ToolUnderContract, options: EffectToolOptions): readonly ContractCase[] {
  const make = typeof tool === "function" ? tool : () => tool;
  const given = { make, options };
  return [...crashCases(given), ...pathCases(given), ...declarationCases(given)];
}

/** Registers the whole contract with vitest. Call it at the top level of a test file. */
export function effectToolContract(tool: ToolUnderContract, options: EffectToolOptions): void {
  describe(options.name ?? "effect tool", () => {
    for (const { name, run } of effectToolCases(tool, options)) test(name, run, CASE_MS);
  });
}
