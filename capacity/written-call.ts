// Finds tool calls that a model wrote and its server did not read: they come as text, and nothing would run them. Finds, too,
// whether a text says anything beside thoughts and the tokens with which models mark them.

/** How models begin a tool call in text; what follows is the call. */
const MARKERS =
  /<\|?(?:minimax:)?tool_calls?(?:_begin|_section_begin)?\|?>|<｜tool▁calls?▁begin｜>|<｜DSML｜|\[TOOL_CALLS\]|<\|python_tag\|>|functools\[|<\|START_ACTION\|>|<\|action_start\|>|<start_function_call>|<function_calls>|```tool_code/g;

/** How far behind a marker the call is looked for, in characters. */
const NEAR = 4_000;

/** The name of a tool where only a call has it: `"name": "x"`, `<function=x>`, `<invoke name="x">`, `to=functions.x`, `x(`. */
const CALLED =
  /"(?:name|tool|tool_name|function)"\s*:\s*"([\w-]{1,64})"|<function[=_\s]["']?([\w-]{1,64})|<invoke name="([\w-]{1,64})"|to=functions\.([\w-]{1,64})|(?:^|[\s[\n>;|])([\w-]{1,64})\s*(?:\(|\{|[:<])/g;

/** Forms that are a call wherever they stand. */
const PLAIN =
  /<function=["']?([\w-]{1,64})|<invoke name="([\w-]{1,64})"|to=functions\.([\w-]{1,64})|^Action:\s*([\w-]{1,64})\s*$/gm;

/** The tool that a text calls, when it does. */
export function writtenCall(text: string, tools: readonly string[]): string | undefined {
  if (tools.length === 0) return undefined;
  const named = (pattern: RegExp, within: string): string | undefined => {
    for (const [, ...names] of within.matchAll(pattern)) {
      const name = names.find((each) => each !== undefined);
      if (name !== undefined && tools.includes(name)) return name;
    }
    return undefined;
  };
  for (const marker of text.matchAll(MARKERS)) {
    const behind = text.slice(marker.index + marker[0].length, marker.index + NEAR).trimStart();
    // In prose a marker is followed by prose.
    if (!/^(?:[{[<`|]|[\w-]{1,64}\s*(?:[({\n[]|<)|functions?\b|print\b)/.test(behind)) continue;
    const name = named(CALLED, behind);
    if (name !== undefined) return name;
    if (text.trimStart().startsWith(marker[0]) && /^\{\s*"/.test(behind)) return "a tool";
  }
  return named(PLAIN, text) ?? wholeCall(text, tools);
}

/** A text that is a call and nothing else: JSON, or as it stands in a program. */
function wholeCall(text: string, tools: readonly string[]): string | undefined {
  const bare = text
    .trim()
    .replace(/^```\w*\n?/, "")
    .replace(/\n?```$/, "")
    .trim();
  const call = /^\[?\s*([\w-]{1,64})\((?:[^()]|\([^()]*\)){0,4000}\)\s*\]?$/.exec(bare.slice(0, 5_000))?.[1];
  if (call !== undefined && tools.includes(call)) return call;
  if (!/^[[{]/.test(bare)) return undefined;
  try {
    const [first] = [JSON.parse(bare) as unknown].flat();
    const { name, function: inner, parameters, arguments: args } = (first ?? {}) as Record<string, unknown>;
    const called =
      typeof name === "string" ? name : typeof inner === "string" ? inner : (inner as { name?: unknown })?.name;
    const hasArguments = parameters !== undefined || args !== undefined || typeof inner === "object";
    return typeof called === "string" && hasArguments && tools.includes(called) ? called : undefined;
  } catch {
    return undefined; // No JSON, and so no call.
  }
}

/** Whether a text has words: not only thoughts, marks of the model's own, and characters that nobody sees. */
export const saysWords = (text: string): boolean =>
  text
    .replaceAll(/<think(?:ing)?>[\s\S]*?(?:<\/think(?:ing)?>|$)/g, "")
    .replaceAll(/<\|[\w ]{1,40}\|>|<\/?s>/g, "")
    .replaceAll(/[\s\p{C}\p{Default_Ignorable_Code_Point}]/gu, "") !== "";
