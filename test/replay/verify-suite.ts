// What `verify` promises beyond a strict replay, registered for each kind of database: checkpoints come back as they were
// saved, verdicts follow from what they were judged by, and a change of either is named.

import { HumanMessage } from "@langchain/core/messages";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openCheckpointer, openJournal } from "../../checkpoints/index.js";
import { agentGraph, verifyRun } from "../../graphs/index.js";
import type { Attackable } from "../checkpoints/support.js";
import { calls, script, scriptedModel } from "../contracts/index.js";
import { countingTools } from "../support/agent.js";

/** Registers the suite. `open` makes a database of its own for each test. */
export function verifySuite(kind: string, open: () => Attackable): void {
  describe(`a run that is verified, on ${kind}`, () => {
    let at: Attackable;
    beforeEach(() => {
      at = open();
    });
    afterEach(() => at.remove());

    async function recorded() {
      const journal = openJournal(at.url, at.keyFile === undefined ? {} : { keyFile: at.keyFile });
      const { saver, close } = await openCheckpointer(at.url);
      const model = scriptedModel(
        script([calls(["look", { id: "r7" }]), calls(["pay", { to: "ada", amount: 5 }]), "paid"]),
      );
      const { tools } = countingTools();
      const graph = agentGraph({ journal, model, prompt: "You are the agent under test.", tools }).compile();
      graph.checkpointer = saver as never;
      const config = { configurable: { thread_id: "t1", run_id: "r1" }, durability: "sync" as const };
      await graph.invoke({ messages: [new HumanMessage("go")] }, config);
      const verify = async () =>
        verifyRun({ journal, saver, thread: "t1", events: await journal.events({ thread: "t1" }) });
      return {
        journal,
        verify,
        async close() {
          await close();
          await journal.close();
          await model.close();
        },
      };
    }

    test("finds nothing in one that nobody was at", async () => {
      const { verify, journal, close } = await recorded();
      const { findings, checkpoints } = await verify();
      expect(findings).toEqual([]);
      expect(checkpoints).toBeGreaterThan(10);
      const kinds = (await journal.events({ thread: "t1" })).map(({ event }) => event.kind);
      expect(kinds.filter((each) => each === "checkpoint").length).toBeGreaterThan(10);
      expect(kinds).toContain("gate.decision");
      await close();
    });

    test("compares no checkpoints where there are none, as in an imported thread", async () => {
      const { verify, close } = await recorded();
      await at.sql("DELETE FROM checkpoints");
      expect(await verify()).toEqual({ findings: [], checkpoints: 0 });
      await close();
    });

    test("names a checkpoint that is gone, and a decision whose policy is gone or another", async () => {
      const { verify, close } = await recorded();
      await at.sql("DELETE FROM checkpoints WHERE checkpoint_id = (SELECT MAX(checkpoint_id) FROM checkpoints)");
      expect((await verify()).findings).toEqual([
        expect.objectContaining({ about: "checkpoint", message: expect.stringMatching(/is gone$/) }),
      ]);
      await at.sql(
        "UPDATE h_document SET document = replace(document, '\"balanced\"', '\"other\"') WHERE kind = 'policy'",
      );
      expect((await verify()).findings.find(({ about }) => about === "decision")?.message).toBe(
        "pay: the policy it was judged by is not in the record",
      );
      await close();
    });
  });
}
