// What a healthy server does: the rows that everything else is measured against.

import { GOOD, type WireRow } from "../row.js";

export const plain: readonly WireRow[] = [
  {
    family: "any",
    behaviour: "text",
    section: "1",
    streamed: "both",
    replies: [GOOD],
    expect: { text: "a good answer", toolCalls: [], label: { integrity: 3, fidelity: 3, currency: 3, certainty: 3 } },
  },
  {
    family: "any",
    behaviour: "a call of a tool that only reads, then text",
    section: "1",
    streamed: "both",
    task: "look at a",
    replies: [{ toolCalls: [{ name: "look", args: '{"id":"a"}' }] }, { content: "done" }],
    expect: { text: "done", ran: [] },
  },
];
