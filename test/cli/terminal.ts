// A terminal for tests: keeps what is written, answers questions from a list.

import type { Terminal } from "../../cli/terminal.js";
import { PLAIN } from "../../cli/text.js";

export interface TestTerminal extends Terminal {
  readonly written: { out: string; err: string };
  readonly questions: string[];
}

export function testTerminal(
  options: Partial<Pick<Terminal, "cwd" | "interactive" | "program">> & { readonly answers?: readonly string[] } = {},
): TestTerminal {
  const { answers = [], cwd = process.cwd(), interactive = false, program = "bulkhead" } = options;
  const written = { out: "", err: "" };
  const questions: string[] = [];
  return {
    cwd,
    env: {},
    program,
    interactive,
    outStyle: PLAIN,
    errStyle: PLAIN,
    written,
    questions,
    out: (text) => {
      written.out += `${text}\n`;
    },
    err: (text) => {
      written.err += `${text}\n`;
    },
    input: async () => undefined,
    ask: async (question, signal) => {
      signal.throwIfAborted();
      const answer = answers[questions.length];
      questions.push(question);
      if (answer === undefined) throw new Error("a question too many");
      return answer;
    },
    onInterrupt: () => () => undefined,
  };
}
