// The person's answer itself is the way in: for another request, by somebody else, in another form, with a tool of its
// own in an edit, too early, twice.

import { expect } from "vitest";
import { definePolicy } from "../../trust/index.js";
import { approve, attackTable, type Path } from "./paths.js";
import { APPROVED, CHANGED, type World } from "./refund.js";

const HOUR = 3_600_000;
const refused = { kind: "approval.refused", by: "studio or API, not authenticated", authenticated: "none" };
const named = definePolicy({ name: "named", floor: "balanced", approvals: { approvers: ["ann"] } });
const known = definePolicy({ name: "known", floor: "balanced", approvals: { approvers: "authenticated" } });
const served = definePolicy({
  name: "served",
  floor: "balanced",
  approvals: { approvers: ["ann"], authentication: "server" },
});
const claims = (identity: string) => ({ configurable: { langgraph_auth_user: { identity } } });

/** Answers what is asked with what `make` returns, and goes on. */
const answering =
  (make: (id: string) => unknown, config: object = {}, before: (world: World) => void = () => undefined) =>
  async (world: World) => {
    const { approval, interrupt } = await world.ask();
    before(world);
    await world.answer(interrupt, make(approval.id), config);
    await world.run(null);
  };

const positional: readonly unknown[] = [
  "approve",
  true,
  ["approve"],
  { decisions: ["approve"] },
  [{ type: "accept", args: null }],
  { decisions: [{ type: "approve" }] },
  { decisions: [] },
  {},
];

const answers: readonly Path[] = [
  ...positional.map((answer) => ({
    path: `an answer that names no request: ${JSON.stringify(answer)}`,
    attack: answering(() => answer),
    event: { ...refused, id: "any" },
  })),
  {
    path: "an answer for another request",
    attack: answering(() => approve("approval-0123456789abcdef")),
    event: { ...refused, id: "approval-0123456789abcdef", why: "nothing with this id was asked here" },
  },
  ...["name", "tool", "action", "toolName", "args", "status"].map((key) => ({
    path: `an edit that brings a ${key} along`,
    attack: answering((id) => ({ decisions: [{ id, decision: "edit", arguments: CHANGED, [key]: "casino" }] })),
    event: { ...refused, id: "any", why: expect.stringContaining(key) },
  })),
  {
    path: "an approval that brings arguments along",
    attack: answering((id) => ({ decisions: [{ id, decision: "approve", arguments: CHANGED }] })),
    event: { ...refused, why: expect.stringContaining("approve takes no arguments") },
  },
  {
    path: "an edit: the edited refund is asked about anew and the old question is closed",
    attack: async (world) => {
      const { approval, interrupt } = await world.ask();
      await world.answer(interrupt, { decisions: [{ id: approval.id, decision: "edit", arguments: CHANGED }] });
      const again = () => world.journal.decideApproval(approval.id, "approved", { by: "ann", authenticated: "cli" });
      await expect(again()).rejects.toMatchObject({ code: "APPROVAL_DECIDED" });
      await world.run(null);
      const [pending] = await world.journal.approvals({ status: "pending" });
      expect(pending?.arguments).toEqual(CHANGED);
    },
    event: { kind: "approval.decided", decision: "edited" },
  },
  {
    path: "an edit and the approval of what it replaced, in one answer",
    attack: answering((id) => ({
      decisions: [
        { id, decision: "edit", arguments: CHANGED },
        { id, decision: "approve" },
      ],
    })),
    event: { ...refused, why: expect.stringContaining("A decision is final") },
  },
  {
    path: "an edit to what has no canonical form",
    attack: answering((id) => ({
      decisions: [{ id, decision: "edit", arguments: { ...CHANGED, note: "\ud800" } }],
    })),
    event: { kind: expect.stringMatching(/^approval\.(refused|decided)$/), tool: "refund" },
  },
  {
    path: "a rejection and an approval of the same request",
    attack: answering((id) => ({ decisions: [{ id, decision: "reject" }, ...approve(id).decisions] })),
    event: { ...refused, why: expect.stringContaining("A decision is final") },
  },
  {
    path: "an approval before the request was made: the clock was set back",
    attack: answering(approve, {}, (world) => {
      world.passed = -HOUR;
    }),
    event: { ...refused, why: expect.stringContaining("is not valid before") },
  },
];

const people: readonly Path[] = [
  {
    path: "nobody in particular answers, where the policy wants to know who",
    world: { policy: known },
    attack: answering(approve),
    event: { ...refused, why: "the policy lets only authenticated people decide" },
  },
  {
    path: "nobody in particular answers, where the policy names ann",
    world: { policy: named },
    attack: answering(approve),
    event: { ...refused, why: "the policy lets only ann decide" },
  },
  {
    path: "a client claims to be ann, and the server authenticates nobody",
    world: { policy: named },
    attack: answering(approve, claims("ann")),
    event: { kind: "approval.refused", authenticated: "none", by: expect.stringContaining("says to be ann") },
  },
  {
    path: "the server knows that it is bob",
    world: { policy: served },
    attack: answering(approve, claims("bob")),
    event: { kind: "approval.refused", authenticated: "server", by: "bob" },
  },
  {
    path: "the server knows that it is ann: the way the policy wants it",
    world: { policy: served },
    attack: answering(approve, claims("ann")),
    approved: 1,
    event: { kind: "approval.decided", decision: "approved", by: "ann", authenticated: "server" },
  },
  {
    path: "bob approves at the command line, where the policy names ann",
    world: { policy: named },
    attack: async (world) => {
      const { approval } = await world.ask();
      await world.journal.decideApproval(approval.id, "approved", { by: "bob", authenticated: "cli" });
      await world.run(null);
    },
    event: { kind: "gate.decision", verdict: "ask", arguments: APPROVED },
  },
];

attackTable("an answer that is not an approval of this request", answers);
attackTable("an answer of somebody who may not", people);
