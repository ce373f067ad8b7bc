// Every command line that the pages show, and what runs it: `commands.int.test.ts` here, or the test named.

/** A command that is run with the built `bulkhead`, and the exit code it ends with when there is no terminal. */
export interface DocumentedCommand {
  readonly args: readonly string[];
  readonly code: number;
}

const RUN: Readonly<Record<string, DocumentedCommand>> = {
  'npx bulkhead run --fault outage:offline-large "Handle ticket 1077: refund the duplicate charge on order 7781."': {
    args: ["run", "--fault", "outage:offline-large", "Handle ticket 1077: refund the duplicate charge on order 7781."],
    code: 3,
  },
  'npx bulkhead run --fault rate-limit:offline-large,for=3s "How many tickets are open?"': {
    args: ["run", "--fault", "rate-limit:offline-large,for=3s", "How many tickets are open?"],
    code: 0,
  },
  'npx bulkhead run --budget calls=4 "Ticket 1042 asks us to delete the account of Harbor Bakery. Do it."': {
    args: ["run", "--budget", "calls=4", "Ticket 1042 asks us to delete the account of Harbor Bakery. Do it."],
    code: 7,
  },
  'npx bulkhead run --quota redis://127.0.0.1:6379 "How many tickets are open?"': {
    args: ["run", "--quota", "redis://127.0.0.1:6379", "How many tickets are open?"],
    code: 0,
  },
  "npx bulkhead effects": { args: ["effects"], code: 0 },
  "npx bulkhead approvals": { args: ["approvals"], code: 0 },
};

const ELSEWHERE: Readonly<Record<string, string>> = {
  "npx bulkhead quota --quota redis://127.0.0.1:6379": "test/cli/quota.int.test.ts",
  "npx bulkhead quota --quota redis://127.0.0.1:6379 --watch": "test/cli/quota.int.test.ts",
  "npx bulkhead quota --quota redis://127.0.0.1:6379 --watch --json": "test/cli/quota.int.test.ts",
  "npx bulkhead worker --metrics 9464": "test/cli/worker-metrics.int.test.ts",
  'npm install && npm start -- "Ticket 1042 asks us to delete the account of Harbor Bakery. Do it."':
    "test/cli/run.int.test.ts",
  'npm start -- "Ticket 1042 asks us to delete the account of Harbor Bakery. Do it."': "test/cli/run.int.test.ts",
  'npx bulkhead effects resolve KEY committed --note "seen in the provider\'s list"': "test/cli/effects.test.ts",
  'npx bulkhead probe --prompt "Tell me about Richard Feynman." --n 1000': "test/cli/probe.test.ts",
  "npx bulkhead effects compensate KEY": "test/cli/second-thoughts.int.test.ts",
  "npx bulkhead rewind THREAD": "test/cli/second-thoughts.int.test.ts",
  "npx bulkhead inspect THREAD": "test/cli/inspect.test.ts",
  "npx bulkhead inspect THREAD --why": "test/cli/inspect.test.ts",
  "npx bulkhead inspect THREAD --step 12": "test/cli/inspect.test.ts",
  "npx bulkhead inspect THREAD --diff OTHER": "test/cli/inspect.test.ts",
  "npx bulkhead inspect THREAD --html thread.html": "test/inspect/html-command.test.ts",
  "npx bulkhead replay THREAD": "test/cli/replay.int.test.ts",
  "npx bulkhead replay THREAD --mode policy --policy strict": "test/cli/replay.int.test.ts",
  "npx bulkhead replay THREAD --mode branch --from 12": "test/cli/replay.int.test.ts",
  "npx bulkhead verify THREAD": "test/cli/verify.test.ts",
  "npx bulkhead export THREAD --out ./evidence": "test/cli/verify.test.ts",
  "npx bulkhead verify ./evidence": "test/cli/verify.test.ts",
  "npx bulkhead import ./evidence": "test/cli/verify.test.ts",
  "CRM_TOKEN=… BULKHEAD_SECRETS=CRM_TOKEN BULKHEAD_SECRET_PATTERNS='\\b\\d{16}\\b' npx bulkhead run \"…\"":
    "test/models/secrets.test.ts and test/checkpoints/redaction.test.ts",
  "npx bulkhead bench recorder": "test/lab/bench.test.ts",
  "npx bulkhead bench reliability": "test/lab/reliability.int.test.ts",
  "npx bulkhead bench overhead": "test/lab/overhead.test.ts",
  "npx bulkhead bench quota": "test/lab/quota.test.ts",
  "npx bulkhead bench capacity": "test/lab/capacity.test.ts",
  "npm run build && npm run kills -- --kills 300 --seed 12 --db sqlite": "test/lab/kills.int.test.ts",
  "npm run kills -- --kills 300 --seed 13 --db postgres": "test/lab/kills.int.test.ts",
  "npx bulkhead erase THREAD": "test/cli/erase.test.ts",
  "npx bulkhead gc --older-than 30d --dry-run": "test/cli/gc.test.ts",
  "npx bulkhead gc --older-than 30d": "test/cli/gc.test.ts",
  "npx bulkhead run --thread THREAD --resume --budget calls=8": "test/cli/budget.int.test.ts",
  "npm install bullmq ioredis": ".ci/run installs them",
  "export BULKHEAD_DB=postgres://USER:PASSWORD@HOST/DATABASE BULKHEAD_REDIS=redis://127.0.0.1:6379":
    "test/cli/worker-place.ts",
  'npx bulkhead submit "Handle ticket 1077: refund the duplicate charge on order 7781."': "test/cli/worker.int.test.ts",
  "npx bulkhead worker": "test/cli/worker.int.test.ts",
  "npx bulkhead queue": "test/cli/worker-queue.int.test.ts",
  'npx bulkhead submit --thread ticket-1077 "Handle ticket 1077."': "test/cli/worker-queue.int.test.ts",
  "npx bulkhead submit --priority batch --file task.txt": "test/cli/worker-queue.int.test.ts",
  'npx bulkhead submit --wait "How many tickets are open?"': "test/cli/worker-queue.int.test.ts",
  "npx bulkhead submit --thread THREAD --resume": "test/cli/worker-queue.int.test.ts",
  "npx bulkhead queue --state failed": "test/cli/worker-queue.int.test.ts",
  "npx bulkhead queue remove THREAD": "test/cli/worker-queue.int.test.ts",
  "npx bulkhead approve ID": "test/cli/run.int.test.ts",
  'npx bulkhead reject ID --reason "the customer called it off"': "test/cli/run.int.test.ts",
  [`npx bulkhead edit ID --arguments '{"order_id": 7781, "charge_id": "CH-7781-2", "amount": 20, "reason": "half of it"}'`]:
    "test/cli/second-thoughts.int.test.ts",
  "npm install": "test/scaffold/scaffold.int.test.ts",
  "npm test": "test/scaffold/scaffold.int.test.ts and .ci/run",
  "npm run dev": "test/studio/dev.int.test.ts",
  "npx bulkhead new my-agent": "test/scaffold/scaffold.int.test.ts",
  'OPENAI_API_KEY=… npx bulkhead run "…"': "test/cli/errors.int.test.ts",
  'OPENAI_BASE_URL=http://127.0.0.1:11434/v1 BULKHEAD_MODEL=qwen3 npx bulkhead run "…"': "test/cli/errors.int.test.ts",
};

/** The commands to run here. */
export const documented = Object.entries(RUN);

/** What runs a command line; `undefined` for one that nothing runs. */
export const program = (line: string): DocumentedCommand | string | undefined => RUN[line] ?? ELSEWHERE[line];
