// One trial of a tool: a fresh world, an agent that uses the tool in it, a count of what really happened, and the
// comparison of that with what the ledger says and what the tool declares.

import type { EffectRecord } from "../../../checkpoints/index.js";
import type { Brain } from "../../../models/index.js";
import type { HarnessTool } from "../../../nodes/index.js";
import { broken, type ContractCase } from "../broken-promise.js";
import { Lives } from "../lives.js";
import { calls, type ScriptStep, script } from "../script.js";

/** What a contract needs to know beside the tool. */
export interface EffectToolOptions {
  /** Arguments with which the effect happens in a fresh world. */
  readonly args: Readonly<Record<string, unknown>>;
  /** How often the effect has happened, counted at the provider: rows, requests, files. Not what the tool says. */
  effects(): number | Promise<number>;
  /** Makes a fresh world before each case. Default: nothing; then `args` must be repeatable. */
  reset?(): void | Promise<void>;
  /** Arguments the provider certainly refuses. The tool must then throw, and nothing may have happened. */
  readonly refused?: Readonly<Record<string, unknown>>;
  /** For a tool with `compensate`: how often an effect has been taken back, counted at the provider. */
  compensations?(): number | Promise<number>;
  /** Heading of the suite. Default `effect tool`. */
  readonly name?: string;
}

/** A tool and its options. */
export interface Given {
  readonly make: () => HarnessTool;
  readonly options: EffectToolOptions;
}

/** A case in its own world. */
export class Trial {
  private constructor(
    readonly lives: Lives,
    readonly tool: HarnessTool,
    readonly args: EffectToolOptions["args"],
    private readonly options: EffectToolOptions,
    private readonly before: number,
  ) {}

  /** Runs `body` in a fresh world and clears up. @throws TypeError for a tool without an effect. */
  static async in({ make, options }: Given, args: EffectToolOptions["args"], body: (trial: Trial) => Promise<void>) {
    await options.reset?.();
    const tool = make();
    if (tool.effect === "none") {
      throw new TypeError(
        `${tool.name} declares effect "none" and has no contract. Declare what it does, or test it as it is.`,
      );
    }
    const lives = new Lives({ tool: make, brain: using(tool, args) });
    try {
      await body(new Trial(lives, tool, args, options, await options.effects()));
    } finally {
      await lives.close();
    }
  }

  /** How often the effect has happened in this trial. */
  async count(): Promise<number> {
    return (await this.options.effects()) - this.before;
  }

  /**
   * Holds the world against the ledger and the tool's declarations: never two effects, one where the tool honours keys, and
   * the ledger says what happened. `lost`: the outcome was lost on the way.
   */
  async settle(lost: boolean): Promise<EffectRecord> {
    const count = await this.count();
    const ledger = await this.lives.ledger();
    const last = ledger.at(-1);
    if (last === undefined)
      broken(`${this.tool.name} was never called: are these arguments valid? ${JSON.stringify(this.args)}`);
    if (count > 1) broken(this.repeated(count, ledger));
    this.compare(last, count);
    this.doubt(last, lost);
    if (this.tool.honoursKey) this.sameReceipts();
    return last;
  }

  private compare({ status, error = "", learnt }: EffectRecord, count: number): void {
    const { name, honoursKey } = this.tool;
    const asked = learnt !== undefined && !honoursKey;
    if (status === "committed" && count === 0) {
      broken(
        asked
          ? `the probe of ${name} said "committed" about an effect that had not happened. Answer "committed" only for a key that the provider has, otherwise "failed" or "unknown".`
          : `${name} returned a receipt and nothing happened. Throw when it did not, or correct the contract's \`effects\`, which has to count at the provider.`,
      );
    }
    if (status === "failed" && count > 0) broken(asked ? this.deniedByProbe() : this.reportedAsFailed(error));
    if (status === "failed" && !asked) {
      broken(
        `${name} failed with arguments that should work: ${error}. Give other \`args\`, or a \`reset\` that makes a fresh world.`,
      );
    }
    if (status === "intended" || status === "dispatched") broken(`${name} was left ${status}: no resume finished it`);
  }

  /** In doubt is the honest end exactly where nothing could tell. */
  private doubt({ status, error = "" }: EffectRecord, lost: boolean): void {
    const { name, honoursKey, canBeProbed } = this.tool;
    if (status !== "in_doubt") {
      if (!lost || honoursKey || canBeProbed) return;
      broken(`the outcome of ${name} was lost and the ledger says ${status}: it has to say in doubt`);
    }
    if (!lost) {
      broken(
        `${name} ended in doubt although nothing was lost: ${error}. Return a receipt when it was done, as text or JSON, and throw NotDoneError when it certainly was not.`,
      );
    }
    if (honoursKey) {
      broken(
        `${name} declares honoursKey and did not answer when the same key was sent again: ${error}. Return the first answer for a key that is known.`,
      );
    }
  }

  private repeated(count: number, ledger: readonly EffectRecord[]): string {
    const { name, honoursKey } = this.tool;
    const failed = ledger.find(({ status }) => status === "failed");
    if (failed !== undefined && failed.learnt === undefined) return this.reportedAsFailed(failed.error ?? "");
    if (failed !== undefined && !honoursKey) return this.deniedByProbe();
    if (honoursKey) {
      return `${name} declares honoursKey, and the effect happened ${count} times under one key. Hand idempotencyKey to the provider and let it keep the key with the effect, or declare a probe instead.`;
    }
    return `${name} did its effect ${count} times for one call. Its \`run\` must do it once: no retries of its own, unless under the same key at a provider that honours it.`;
  }

  private reportedAsFailed(error: string): string {
    return `${this.tool.name} was reported as failed (${error}) although it happened. Throw NotDoneError only when the provider certainly did not do it and will not; OutcomeUnclearError when nobody can know.`;
  }

  private deniedByProbe(): string {
    return `the probe of ${this.tool.name} said "failed" about an effect that had happened. "failed" is final: answer it only when the effect did not happen and no longer can, otherwise "unknown".`;
  }

  private sameReceipts(): void {
    const first = new Map<string, string>();
    for (const { key, content } of this.lives.told) {
      const known = first.get(key) ?? content;
      first.set(key, known);
      if (known !== content) {
        broken(
          `${this.tool.name} declares honoursKey and answered the same key differently: ${known}, then ${content}. Keep the first answer with the key and return it.`,
        );
      }
    }
  }
}

/** More often than this the planner does not try again. */
const TRIES = 3;

/** A planner that uses the tool once, tries again what certainly failed, and leaves alone what is in doubt. */
export function using({ name }: Pick<HarnessTool, "name">, args: EffectToolOptions["args"]): Brain {
  const act = calls([name, { ...args }]);
  const next: ScriptStep = ({ messages }) => {
    const answer = messages.at(-1)?.content ?? "";
    const tries = messages.filter(({ role }) => role === "tool").length;
    return answer.startsWith("Error:") && tries < TRIES ? act : answer;
  };
  return script([act, ...Array.from({ length: TRIES }, () => next)]);
}

/** A case in a fresh world. */
export const trialCase = (
  name: string,
  given: Given,
  body: (trial: Trial) => Promise<void>,
  args = given.options.args,
): ContractCase => ({ name, run: () => Trial.in(given, args, body) });
