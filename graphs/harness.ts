// A LangGraph `StateGraph` that is a harness: `compile()` proves the wiring, attaches the recorder, and remembers
// what the graph was built from, so that the command line can find the journal and the model of any graph it loads.

import type { RunnableConfig } from "@langchain/core/runnables";
import { type CompiledStateGraph, isCommand, StateGraph, type StreamTransformer } from "@langchain/langgraph";
import type { QuotaPool } from "../capacity/index.js";
import type { Journal, RunStatus } from "../checkpoints/index.js";
import type { ModelDescription } from "../models/index.js";
import {
  AgentInput,
  AgentState,
  BudgetKeeper,
  HarnessTool,
  IrreversibleWithin,
  isGated,
  labelUpdates,
  Recorder,
  type RunBudget,
  scopeOf,
  type Toolbox,
} from "../nodes/index.js";
import { checkPolicyTools, type Policy } from "../trust/index.js";
import { checkGraph } from "./check.js";
import { recordedSaver } from "./checkpoint-record.js";
import { hasEnded } from "./standing.js";

/** What a graph was built from. */
export interface Harness {
  readonly journal: Journal;
  readonly model: ModelDescription;
  readonly toolbox: Toolbox;
  readonly policy: Policy;
  /** What each run may use, its subagents included. Default: as much as it likes. */
  readonly budget?: RunBudget | undefined;
  /** The quotas that its calls leave under, for metrics. Default: none are shown. */
  readonly pools?: readonly Pick<QuotaPool, "status">[];
  /** Ends what the graph opened: provider, journal, memory. */
  close(): Promise<void>;
}

declare const base: StateGraph<typeof AgentState>;
type Transformers = ReadonlyArray<() => StreamTransformer<unknown>>;
type Compiled<T extends Transformers> = ReturnType<typeof base.compile<T>>;

const HARNESS = Symbol.for("bulkhead.harness");

/** Supersteps one input may take before LangGraph stops it. A planner turn takes five. */
const RECURSION_LIMIT = 300;

/** How many calls and subagents of one superstep run at once. */
const MAX_CONCURRENCY = 8;

/** A state graph over {@link AgentState} whose `compile()` checks the wiring. Wire it like any `StateGraph`. */
export class HarnessGraph extends StateGraph<typeof AgentState> {
  readonly #harness: Harness;

  /** @throws PolicyError for a rule that would never be asked, for example of a tool that is not in the toolbox. */
  constructor(harness: Harness) {
    super({ state: AgentState, input: AgentInput } as never);
    const judged = harness.toolbox.tools.filter((tool) => tool instanceof HarnessTool);
    checkPolicyTools(
      harness.policy,
      judged.map(({ name }) => name),
      judged.filter(({ effect }) => isGated(effect)).map(({ name }) => name),
    );
    this.#harness = harness;
  }

  /** @throws GraphCheckError when an effect could be reached around the gate, or the label could be lost. */
  override compile<const T extends Transformers = []>(options?: Parameters<typeof base.compile<T>>[0]): Compiled<T> {
    const compiled = super.compile<T>(options);
    checkGraph(compiled);
    const { journal, budget, toolbox } = this.#harness;
    const acts = toolbox.tools.some((tool) => tool instanceof HarnessTool && tool.effect === "irreversible");
    const configured = compiled.withConfig({
      callbacks: [
        new Recorder(journal),
        ...(acts ? [new IrreversibleWithin()] : []),
        ...(budget === undefined ? [] : [new BudgetKeeper(journal, budget)]),
      ],
      recursionLimit: RECURSION_LIMIT,
      maxConcurrency: MAX_CONCURRENCY,
    });
    return withLabelledWrites(configured as unknown as Writable, this.#harness) as unknown as Compiled<T>;
  }
}

type Writable = Pick<AnyCompiledGraph, "bulkUpdateState" | "getState" | "withConfig" | "checkpointer">;

/** What LangGraph asks before anything of a run is stored (langgraph 1.7.3). */
interface Validating {
  _validateInput(input: unknown): Promise<unknown>;
}

/** Remembers the harness, records checkpoints, and makes whoever writes into the state from outside of a run a source with a label. */
function withLabelledWrites(graph: Writable, harness: Harness): Writable {
  const write = graph.bulkUpdateState.bind(graph);
  const configure = graph.withConfig.bind(graph);
  const validate = (graph as unknown as Validating)._validateInput.bind(graph);
  let saver = recordedSaver(graph.checkpointer, harness.journal);
  return Object.defineProperties(graph, {
    [HARNESS]: { value: harness },
    // Servers put their own in after the graph was compiled.
    checkpointer: {
      enumerable: true,
      get: () => saver,
      set: (given: typeof saver) => {
        saver = recordedSaver(given, harness.journal);
      },
    },
    bulkUpdateState: {
      value: async (...[config, supersteps]: Parameters<typeof write>) => {
        const updates = supersteps.flatMap((superstep) => superstep.updates);
        await labelUpdates(harness.journal, config, updates, harness.policy);
        const written = await write(config, supersteps);
        await reopenEnded(graph, config, harness.journal);
        return written;
      },
    },
    // What a command writes beside its answer is stored before any node reads it, and LangGraph holds it against the
    // schema of inputs only (langgraph 1.7.3): a value that its channel throws at would break the thread for good.
    _validateInput: {
      value: async (input: unknown) => {
        if (isCommand(input) && input.update !== undefined) {
          await AgentState.validateInput(Array.isArray(input.update) ? Object.fromEntries(input.update) : input.update);
        }
        return validate(input);
      },
    },
    withConfig: {
      value: (config: Parameters<typeof configure>[0]) => withLabelledWrites(configure(config), harness),
    },
  });
}

const ENDS = new Set<RunStatus | undefined>(["finished", "blocked", "spent"]);

/** A thread that was over and is not any more, now that somebody wrote into it, must not be listed as finished. */
async function reopenEnded(graph: Writable, config: RunnableConfig, journal: Journal): Promise<void> {
  const { thread } = scopeOf(config);
  if (!ENDS.has((await journal.thread(thread))?.status)) return;
  const snapshot = await graph.getState({ configurable: { thread_id: thread } });
  if (!hasEnded(snapshot)) await journal.updateThread(thread, { status: "interrupted" });
}

/** What a compiled graph was built from; `undefined` for a graph that is none of ours. */
export const harnessOf = (graph: object): Harness | undefined => (graph as { [HARNESS]?: Harness })[HARNESS];

/** Any graph that the command line can run. */
// biome-ignore lint/suspicious/noExplicitAny: LangGraph's own parameters for "whatever graph".
export type AnyCompiledGraph = CompiledStateGraph<any, any, any>;
