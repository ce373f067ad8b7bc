// Which way an agent graph goes after each node that has a choice. The groups are declared, so that the graph check
// can prove that an effect never shares a superstep with anything that could lower the trust.

import { END } from "@langchain/langgraph";
import { type AgentView, openCallsOf, type Toolbox } from "../nodes/index.js";
import { route } from "./route.js";

type Routed = Pick<AgentView, "messages" | "cleared">;

/** Reads and delegations first, side by side; then the gate; without open calls the run is done. */
export const afterPlanner = (toolbox: Toolbox) =>
  route({ work: ["guard_delegate", "guard_tools"], act: ["gate"], done: [END] }, ({ messages }: Routed) => {
    const work = [
      ...(openCallsOf("delegate", messages, toolbox.tools).length > 0 ? ["guard_delegate"] : []),
      ...(openCallsOf("plain", messages, toolbox.tools).length > 0 ? ["guard_tools"] : []),
    ];
    if (work.length > 0) return { group: "work", to: work };
    return openCallsOf("gated", messages, toolbox.tools).length > 0 ? "act" : "done";
  });

/** To `act` when something was cleared, otherwise back to the planner with the refusals. */
export const afterGate = route({ act: ["act"], back: ["compact"] }, ({ cleared }: Routed) =>
  cleared.length > 0 ? "act" : "back",
);

/** Irreversible calls made together with reads wait until the reads are in; then the gate sees their label. */
export const afterCompact = (toolbox: Toolbox) =>
  route({ act: ["gate"], plan: ["guard"] }, ({ messages }: Routed) =>
    openCallsOf("gated", messages, toolbox.tools).length > 0 ? "act" : "plan",
  );
