// npm run kills -- --kills 300 --seed 1 --db sqlite|postgres|URL --lanes 2 --minutes 60
// Prints what was found, and exits with 1 when anything was not right. The package has to be built.

import { parseArgs } from "node:util";
import { type KillsFound, killRuns } from "./index.js";

const POSTGRES = "postgres://postgres@127.0.0.1:5432/test";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "300" },
    seed: { type: "string", default: String(Date.now() % 100_000) },
    db: { type: "string", default: "sqlite" },
    lanes: { type: "string", default: "2" },
    minutes: { type: "string", default: "90" },
  },
});

const summary = ({ faults, phases, ...counts }: KillsFound): string =>
  [
    Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(", "),
    ...Object.entries(phases)
      .sort(([, one], [, other]) => other - one)
      .map(([phase, count]) => `  ${String(count).padStart(4)}  ${phase}`),
    ...faults,
  ].join("\n");

const database = values.db === "postgres" ? POSTGRES : values.db;
process.stdout.write(`${values.kills} kills, seed ${values.seed}, ${values.db}\n`);
const found = await killRuns({
  ...{ kills: Number(values.kills), seed: Number(values.seed), lanes: Number(values.lanes) },
  ...(database === "sqlite" ? {} : { database }),
  until: performance.now() + Number(values.minutes) * 60_000,
  signal: new AbortController().signal,
  onTask: ({ kills, tasks, faults }) =>
    void process.stderr.write(`${kills} kills, ${tasks} tasks, ${faults.length} not right\n`),
});
process.stdout.write(`${summary(found)}\n`);
const { duplicates, falseFinished, lostAnswers, wrong } = found;
process.exitCode = duplicates + falseFinished + lostAnswers + wrong === 0 ? 0 : 1;
