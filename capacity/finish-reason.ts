// What the reason that an answer gives for its end says about it. Providers and gateways use each other's words, so the
// words of all are here: whole, given up, and everything else, which was cut somewhere.

/** The answer says all that it had to say. */
const WHOLE = new Set([
  ...[
    "stop",
    "tool_calls",
    "function_call",
    "tool_call",
    "stop_sequence",
    "end_turn",
    "tool_use",
    "completed",
    "complete",
  ],
  ...["eos", "eos_token", "finished"],
]);

/** The provider stopped generating: what there is is no answer. */
const BROKEN =
  /^(?:error|abort(?:ed)?|cancell?ed|failed|timeout|network_error|insufficient_system_resource|.*malformed_(?:function|tool)_call.*|unexpected_tool_call)$/;

/** Whether an answer that ends so is whole. One with a tool call that is not must not be carried out. */
export const isWholeEnd = (finishReason: string): boolean => WHOLE.has(wordOf(finishReason));

/** Whether an answer that ends so is none. */
export const isBrokenEnd = (finishReason: string): boolean => BROKEN.test(wordOf(finishReason));

const wordOf = (finishReason: string): string => finishReason.slice(0, 100).toLowerCase().replaceAll("-", "_");
