// Summaries of old turns, both ways. Writing one keeps what a plan needs to go on: each task, each finished call with
// its result, each answer. Reading one gives these back, so that a compacted run neither forgets nor repeats.

const CALL = "- did ";
const TASK = "Task: ";
const ANSWER = "- answered: ";
const ARROW = " → ";
const LONGEST = 2_000;

const oneLine = (text: string): string => text.replace(/\s+/g, " ").trim().slice(0, LONGEST);

/**
 * Summarises a transcript of blocks (`human: …`, `ai: … calls tool({…})`, `tool: …`) separated by blank lines.
 * Extractive: every line is taken from the text, shortened at 2,000 characters.
 */
export function summariseTranscript(transcript: string): string {
  const blocks = transcript.split(/\n\s*\n(?=(?:human|user|ai|assistant|tool|system)\s*:)/i);
  const lines: string[] = [];
  let waiting: string[] = [];
  for (const block of blocks) {
    const [, role = "", body = ""] = /^\s*(human|user|ai|assistant|tool|system)\s*:\s*([\s\S]*)$/i.exec(block) ?? [];
    switch (role.toLowerCase()) {
      case "human":
      case "user":
        lines.push(TASK + oneLine(body));
        break;
      case "tool": {
        const did = waiting.shift();
        lines.push(did === undefined ? `- result: ${oneLine(body)}` : CALL + did + ARROW + oneLine(body));
        break;
      }
      case "ai":
      case "assistant": {
        const earlier = body
          .split("\n")
          .filter((line) => line.startsWith(CALL) || line.startsWith(TASK) || line.startsWith(ANSWER));
        const { said, calls } = splitCalls(body);
        if (earlier.length > 0) lines.push(...earlier);
        else if (said !== "") lines.push(ANSWER + oneLine(said));
        waiting = calls;
        break;
      }
      default:
        lines.push(
          ...block
            .split(/(?<=[.!?])\s+|\n/)
            .filter((line) => /\d{3,}|rejected|blocked|decid|open/i.test(line))
            .map(oneLine),
        );
    }
  }
  return lines.length === 0 ? "Nothing to keep." : lines.join("\n");
}

/** `text calls a({…}) calls b({…})` as its text and `a {…}`, `b {…}`. */
function splitCalls(body: string): { said: string; calls: string[] } {
  const [said = "", ...rest] = body.split(/\s*\bcalls (?=[\w-]+\(\{)/);
  const calls = rest.map((text) => {
    const open = text.indexOf("(");
    const close = text.lastIndexOf(")");
    return `${text.slice(0, open)} ${text.slice(open + 1, close)}`;
  });
  return { said: said.trim(), calls };
}

/** A line of a summary as the transcript reads it: a task, a finished call, or neither. */
export type SummaryLine =
  | { readonly task: string }
  | { readonly tool: string; readonly args: string; readonly result: string };

/** The tasks and calls of a summary in an earlier turn; `undefined` when the text is no summary. */
export function readSummary(content: string): readonly SummaryLine[] | undefined {
  if (!/^Summary of \d+ earlier messages:/.test(content)) return undefined;
  return content.split("\n").flatMap((line): SummaryLine[] => {
    if (line.startsWith(TASK)) return [{ task: line.slice(TASK.length).trim() }];
    const arrow = line.indexOf(ARROW);
    const match = line.startsWith(CALL) && arrow > 0 ? /^- did ([\w-]+) (\{.*\})$/.exec(line.slice(0, arrow)) : null;
    return match === null
      ? []
      : [{ tool: match[1] ?? "", args: match[2] ?? "{}", result: line.slice(arrow + ARROW.length) }];
  });
}
