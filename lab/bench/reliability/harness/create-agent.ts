// `createAgent` with its defaults: a model, tools, a prompt and a checkpointer.

import { createAgent } from "langchain";
import { openCheckpointer } from "../../../../checkpoints/index.js";
import { databaseIn, type Harness, type HarnessSetting } from "./harness.js";
import { type PeerAgent, plainModel, runPeer } from "./peer.js";
import { peerTools } from "./peer-tools.js";

/** Makes it. */
export async function openCreateAgent({ order, project, onEffect }: HarnessSetting): Promise<Harness> {
  const { saver, close } = await openCheckpointer(databaseIn(order.folder));
  const model = plainModel("offline-large", order);
  return {
    run: (run) => {
      const agent = createAgent({
        model,
        tools: peerTools(project.tools(run), onEffect),
        systemPrompt: project.prompt,
        checkpointer: saver,
      });
      return runPeer(agent as unknown as PeerAgent, run);
    },
    close,
  };
}
