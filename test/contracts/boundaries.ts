// Where a run can be cut off on the path of an effect, and how to stand there: every statement that the journal or the
// saver executes for an effect has a name before and after it. The crash matrix kills real processes at them; the
// contracts stand still at them.

import type { BaseCheckpointSaver } from "@langchain/langgraph-checkpoint";
import type { Journal } from "../../checkpoints/index.js";
import type { HarnessTool } from "../../nodes/index.js";

/** The statement boundaries of the effect path, in the order in which a run passes them. */
export const BOUNDARIES = [
  "before intent",
  "after intent",
  "after lease",
  "before dispatch",
  "after dispatch",
  "before provider",
  "after provider",
  "before settle",
  "after settle",
  "before lease release",
  "before act's writes",
  "before checkpoint",
] as const;
export type Boundary = (typeof BOUNDARIES)[number];

/** Between these nobody here knows whether the provider did it. */
const LOST: readonly Boundary[] = ["after dispatch", "before provider", "after provider", "before settle"];

/** Whether a run that was cut off here has lost the outcome of its effect. */
export const isLostAt = (boundary: Boundary): boolean => LOST.includes(boundary);

/** Whether a run that was cut off at `boundary` had come as far as `milestone`. */
export const isPast = (boundary: Boundary, milestone: Boundary): boolean =>
  BOUNDARIES.indexOf(boundary) >= BOUNDARIES.indexOf(milestone);

/** Called at each boundary. It may throw, or never come back. */
export type Reach = (boundary: Boundary) => Promise<void>;

/** Puts `reach` at the boundaries of a journal and a saver, which one run has to itself. */
export function watchStatements(journal: Journal, saver: BaseCheckpointSaver, reach: Reach): void {
  let settled = false;
  const between =
    <Args extends unknown[], Result>(before: Boundary, method: (...args: Args) => Promise<Result>, after: Boundary) =>
    async (...args: Args): Promise<Result> => {
      await reach(before);
      const result = await method(...args);
      await reach(after);
      settled ||= after === "after settle";
      return result;
    };
  const leaseEffect = journal.leaseEffect.bind(journal);
  journal.intendEffect = between("before intent", journal.intendEffect.bind(journal), "after intent");
  journal.dispatchEffect = between("before dispatch", journal.dispatchEffect.bind(journal), "after dispatch");
  journal.settleEffect = between("before settle", journal.settleEffect.bind(journal), "after settle");
  journal.leaseEffect = async (key, owner) => {
    const lease = await leaseEffect(key, owner);
    if (lease === undefined) return undefined;
    await reach("after lease");
    const release = async () => {
      await reach("before lease release");
      await lease.release();
    };
    return { lost: lease.lost, release };
  };
  const putWrites = saver.putWrites.bind(saver);
  const put = saver.put.bind(saver);
  saver.putWrites = async (...args) => {
    if (settled) await reach("before act's writes");
    return putWrites(...args);
  };
  saver.put = async (...args) => {
    if (settled) await reach("before checkpoint");
    return put(...args);
  };
}

/** The same tool with `reach` before and after its function. `told` hears each answer and the key it was for. */
export const watchedTool = (
  tool: HarnessTool,
  reach: Reach,
  told: (key: string, content: string) => void = () => undefined,
): HarnessTool =>
  Object.create(tool, {
    execute: {
      value: async (...[input, context]: Parameters<HarnessTool["execute"]>) => {
        await reach("before provider");
        const outcome = await tool.execute(input, context);
        told(context.idempotencyKey, outcome.content);
        await reach("after provider");
        return outcome;
      },
    },
  });
