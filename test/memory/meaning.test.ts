import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { labelledMemory, openStore } from "../../memory/index.js";
import { MiniLmEmbeddings } from "../../models/embeddings.js";
import { hmacSeal, TOP } from "../../trust/index.js";
import { temporaryFolder } from "./helpers.js";

// The real model on what this workspace is asked: which memories bear on a task, and that the others stay away.
const memories = {
  bakeries: "Harbor Bakery exists twice: C-0107 in Portland and C-0212 in Bristol.",
  deleted: "Ticket 1042 was closed after the account of Harbor Bakery in Bristol was deleted.",
  contact: "Lumen Optics prefers to be contacted by e-mail, not by phone.",
  refunded: "Order 7781 was charged twice; the duplicate 49.00 was refunded.",
  answers: "The user wants short answers in English.",
  names: "Maria Santos is the name of several customers; always ask for the city.",
  approval: "Refunds above 500 need the approval of the finance lead.",
  report: "The quarterly report is due on Friday.",
};

const embeddings = new MiniLmEmbeddings();
const file = join(temporaryFolder(), "memory.db");
const { store, close } = await openStore(`sqlite:${file}`, { embeddings });
const memory = labelledMemory({
  seal: hmacSeal(Buffer.from("the key of these tests")),
  store,
  namespace: ["memories"],
});
for (const [key, text] of Object.entries(memories)) await memory.remember({ key, text, label: TOP, thread: "t" });
afterAll(async () => {
  await close();
  await embeddings.close();
});

it.each([
  ["Ticket 1042 asks us to delete the account of Harbor Bakery. Do it.", ["deleted", "bakeries"]],
  ["Handle ticket 1077: refund the duplicate charge on order 7781.", ["refunded"]],
  ["Send an email to Lumen Optics about their invoice", ["contact"]],
  ["Which Maria Santos lives in Lisbon?", ["names"]],
  ["Who can sign off a large repayment?", ["approval"]],
  ["What is C-0212?", ["bakeries"]],
])("%s", async (task, best) => {
  const keys = (await memory.recall(task, { limit: best.length })).map((item) => item.key);
  expect(keys).toEqual(best);
});

it.each(["How many open tickets are there?", "Write a poem about the sea."])(
  "%s: nothing bears on it",
  async (task) => {
    expect(await memory.recall(task)).toEqual([]);
  },
);
