// The state of an agent graph, field by field. Every field says what it is, because Studio shows these texts; the
// trust channel is added by `TrustedState`.

import type { BaseMessage } from "@langchain/core/messages";
import { MessagesValue, ReducedValue, StateSchema } from "@langchain/langgraph";
import { filesValue } from "deepagents";
import { z } from "zod";
import { type Trust, TrustedState } from "../trust/index.js";

const todo = z.object({
  content: z.string(),
  status: z.enum(["pending", "in_progress", "completed"]),
});

const admissionState = z.object({
  decision: z.enum(["admit", "queue", "degrade", "park", "shed"]),
  routes: z.enum(["primary-only", "any-route"]),
  waitMs: z.number(),
  reason: z.string().optional(),
  /** Until when the primary is waited for before another route may answer, in milliseconds since the epoch. */
  primaryUntil: z.number().optional(),
});

const cleared = z.object({ callId: z.string(), key: z.string() });

/** What a guard decided, kept in state under the guard's name. */
export type AdmissionState = z.output<typeof admissionState>;

/** A gated call that may run: the tool call and its key in the effect ledger. */
export type ClearedCall = z.output<typeof cleared>;

/** One item of the plan. */
export type Todo = z.output<typeof todo>;

const admissions = z
  .record(z.string(), admissionState)
  .default(() => ({}))
  .describe("What each guard decided last: admit, queue, degrade to a fallback, park or shed.");

/** The fields of {@link AgentState}. Spread them into a `TrustedState` of your own to add fields. */
export const agentFields = {
  messages: MessagesValue,
  todos: z
    .array(todo)
    .default(() => [])
    .describe("The plan as the planner keeps it."),
  files: new ReducedValue(filesValue.valueSchema, {
    inputSchema: filesValue.inputSchema,
    reducer: filesValue.reducer,
    jsonSchemaExtra: { description: "Files of this thread: notes, and tool results that were too large to keep." },
  }),
  context: z.string().default("").describe("What recall loaded for this task: instructions, memories, skills."),
  admissions: new ReducedValue(admissions, {
    inputSchema: z.record(z.string(), admissionState),
    reducer: (before, after) => ({ ...before, ...after }),
    jsonSchemaExtra: { description: admissions.description },
  }),
  cleared: z
    .array(cleared)
    .default(() => [])
    .describe("Irreversible calls that the gate has cleared, by their key in the effect ledger."),
};

/** The state of an agent graph. */
export const AgentState = new TrustedState(agentFields);

/** What a caller may set: messages, and nothing else. */
export const AgentInput = new StateSchema({ messages: MessagesValue });

/** The part of the state that the nodes of this folder read. */
export interface AgentView {
  readonly messages: BaseMessage[];
  readonly todos: Todo[];
  readonly context: string;
  readonly admissions: Record<string, AdmissionState>;
  readonly cleared: ClearedCall[];
  readonly trust: Trust;
}
