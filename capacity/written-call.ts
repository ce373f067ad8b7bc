// Finds tool calls that a model wrote and its server did not read: they come as text, and nothing would run them.

/** How models write a tool call in text. */
const MARKERS =
  /<\|?tool_calls?(?:_begin|_section_begin)?\|?>|<｜tool▁calls▁begin｜>|\[TOOL_CALLS\]|<function[=_]|<\|python_tag\|>|functools\[/;

/** How far behind a marker the name of the tool stands, in characters. */
const NEAR = 200;

/** The tool that a text calls, when it does. */
export function writtenCall(text: string, tools: readonly string[]): string | undefined {
  const marker = tools.length === 0 ? null : MARKERS.exec(text);
  if (marker === null) return undefined;
  const behind = text.slice(marker.index, marker.index + marker[0].length + NEAR);
  return tools.find((name) => behind.includes(name));
}
