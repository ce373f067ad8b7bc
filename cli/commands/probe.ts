// `bulkhead probe`: does the provider answer the same question the same way? Counts what identical requests bring back.

import type { Command } from "commander";
import { visible } from "../../nodes/view.js";
import { CommandError, UsageError } from "../exit.js";
import { command, wholeNumber, withJson } from "../options.js";
import type { Terminal } from "../terminal.js";

interface ProbeOptions {
  readonly prompt: string;
  readonly n: string;
  readonly model?: string;
  readonly json?: boolean;
}

export const probeCommand = (terminal: Terminal): Command =>
  withJson(
    command("probe", "send identical requests and count how many answers differ", [
      'bulkhead probe --prompt "Tell me about Richard Feynman." --n 1000',
      'bulkhead probe --prompt "Name a city." --n 100 --model gpt-4.1-mini --json',
    ]),
  )
    .requiredOption("--prompt <text>", "the request, sent word for word each time, at temperature 0")
    .option("--n <number>", "how many", wholeNumber, "100")
    .option("--model <name>", "the configured provider's model (default: BULKHEAD_MODEL)")
    .addHelpText(
      "after",
      "\nThe calls are paced by your quota and cost what calls cost. Ctrl-C ends it; what was answered counts.",
    )
    .action((options: ProbeOptions) => probe(options, terminal));

async function probe({ prompt, n: count, model, json = false }: ProbeOptions, terminal: Terminal): Promise<void> {
  const { configure, findProject } = await import("../project.js");
  const { compareAnswers, resolveModel, sampleAnswers } = await import("../../models/index.js");
  if (Number(count) < 2) throw new UsageError("--n must be 2 or more: there is nothing to compare with one answer.");
  if (model !== undefined) terminal.env["BULKHEAD_MODEL"] = model;
  const settings = await configure(terminal, findProject(terminal.cwd), {});
  const resolved = resolveModel(settings, { cache: false });
  const aborting = new AbortController();
  const stopListening = terminal.onInterrupt(() => aborting.abort(new Error("interrupted")));
  const n = Number(count);
  if (!json) terminal.err(resolved.description.sentence);
  try {
    const onAnswer = (done: number) => {
      if (!json && (done % Math.ceil(n / 10) === 0 || done === n)) terminal.err(`${done} of ${n}`);
    };
    const { signal } = aborting;
    const { answers, failures } = await sampleAnswers({ model: resolved.model, prompt, n, signal, onAnswer });
    const found = { model: resolved.description.model, asked: n, failed: failures.length, ...compareAnswers(answers) };
    if (answers.length === 0) throw new CommandError(`no answer: ${failures[0] ?? "it was interrupted"}`);
    if (json) return terminal.out(JSON.stringify(found, null, 2));
    for (const line of linesOf(found, failures)) terminal.out(line);
  } finally {
    stopListening();
    await resolved.close();
  }
}

type Found = ReturnType<typeof import("../../models/index.js").compareAnswers> & { readonly failed: number };

function linesOf(
  { answers, distinct, mostFrequent, firstDifference, fingerprints, models, failed, meaning }: Found,
  failures: readonly string[],
): string[] {
  const quoted = (text: string) => visible(JSON.stringify(text));
  return [
    `${distinct} distinct of ${answers} answers; the most frequent came ${mostFrequent} times`,
    ...(firstDifference === undefined
      ? []
      : [
          `first difference at ${firstDifference.unit} ${firstDifference.at}: ${quoted(firstDifference.left)} or ${quoted(firstDifference.right)}`,
        ]),
    `fingerprints: ${fingerprints.join(", ") || "none given"}; models: ${models.join(", ") || "none given"}`,
    ...(failed === 0 ? [] : [`${failed} failed, for example: ${failures[0] ?? ""}`]),
    meaning,
  ];
}
