// Drives the brain as the harness does: asks for the next step, runs the calls on the fake workspace (and subagents as
// brains of their own), and goes on until there is a final answer.

import { answer } from "../../../models/offline/brain/index.js";
import type { BrainMessage, BrainTool, OfflineModel } from "../../../models/offline/types.js";
import { DOMAIN_TOOLS, FakeWorkspace, HARNESS_TOOLS, SUBAGENT_TOOLS } from "./workspace.js";

export interface Made {
  readonly name: string;
  readonly arguments: Record<string, unknown>;
}

/** A conversation with the brain and the workspace it works on. */
export class Play {
  readonly workspace = new FakeWorkspace();
  readonly messages: BrainMessage[];
  readonly calls: Made[] = [];
  /** Calls per model turn, in order. */
  readonly turns: Made[][] = [];
  private next = 0;

  constructor(
    private readonly model: OfflineModel = "offline-large",
    private readonly tools: readonly BrainTool[] = [...DOMAIN_TOOLS, ...HARNESS_TOOLS],
    system = "You are the agent of a customer-records desk.",
  ) {
    this.messages = [{ role: "system", content: system }];
  }

  /** Says something and returns the final answer. */
  say(content: string): string {
    this.messages.push({ role: "user", content });
    for (let turn = 0; turn < 15; turn += 1) {
      const made = answer({ model: this.model, messages: this.messages, tools: this.tools });
      if (made.toolCalls.length === 0) {
        this.messages.push({ role: "assistant", content: made.content });
        return made.content;
      }
      const calls = made.toolCalls.map((call) => ({ ...call, id: `call_${this.next++}` }));
      this.turns.push(calls);
      this.calls.push(...calls);
      this.messages.push({
        role: "assistant",
        content: made.content,
        tool_calls: calls.map((call) => ({ id: call.id, name: call.name, arguments: JSON.stringify(call.arguments) })),
      });
      for (const call of calls)
        this.messages.push({ role: "tool", tool_call_id: call.id, name: call.name, content: this.run(call) });
    }
    throw new Error("no final answer after 15 turns");
  }

  named(name: string): Made[] {
    return this.calls.filter((call) => call.name === name);
  }

  /** Names of the tools of each turn. */
  get trace(): string[][] {
    return this.turns.map((turn) => turn.map((call) => call.name));
  }

  private run(call: Made): string {
    if (call.name !== "task" || this.workspace.refuse.has("task")) return this.workspace.run(call.name, call.arguments);
    const child = new Play(
      this.model,
      SUBAGENT_TOOLS,
      `You are the ${call.arguments["subagent_type"]} of a customer-records desk.`,
    );
    Object.assign(child, { workspace: this.workspace });
    return child.say(String(call.arguments["description"]));
  }
}
