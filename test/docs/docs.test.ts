// The pages say what the code says: the environment, the picture of the graph, links, and every command.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { harnessOf } from "../../graphs/index.js";
import { ENVIRONMENT, FAULT_KINDS } from "../../models/index.js";
import { balanced, checkPolicyTools, definePolicy, judge, TOP } from "../../trust/index.js";
import { script } from "../contracts/index.js";
import { testAgent } from "../support/agent.js";
import { program } from "./commands.js";

const root = resolve(import.meta.dirname, "../..");
const pages = ["README.md", "template/README.md", ...readdirSync(join(root, "docs")).map((name) => `docs/${name}`)];
const read = (page: string) => readFileSync(join(root, page), "utf8");

test("the configuration page lists every variable with its default", () => {
  const page = read("docs/configuration.md");
  for (const { name, default: value, description } of ENVIRONMENT) {
    expect(page).toContain(`| \`${name}\` | ${value} | ${description} |`);
  }
  for (const kind of FAULT_KINDS) expect(page).toContain(`\`${kind}\``);
});

test("the policies page's example is a policy for the template's tools, and its defaults are the defaults", async () => {
  const page = read("docs/policies.md");
  const [, yaml = ""] = /```yaml\n([\s\S]*?)```/.exec(page) ?? [];
  const policy = definePolicy(parse(yaml));
  const { agent } = await import("../../template/graphs/agent.js");
  const tools = harnessOf(agent)?.toolbox.tools.map(({ name }) => name) ?? [];
  checkPolicyTools(policy, tools);
  const verdict = (tool: string, args: Record<string, unknown>) =>
    judge({ tool, arguments: args, considered: TOP, repeats: false, changed: false }, policy).verdict;
  expect(verdict("refund_order", { amount: 499.99 })).toBe("allow");
  expect(verdict("refund_order", { amount: 500.01 })).toBe("block");
  expect(verdict("send_email", { customer_id: "C-0212" })).toBe("block");
  expect(verdict("send_email", { customer_id: "C-0021" })).toBe("allow");
  const { ttlMinutes, openLimit, questionLimit, approvers } = balanced.document.approvals;
  expect(page).toContain(`| \`approvals.ttlMinutes\` | ${ttlMinutes} |`);
  expect(page).toContain(`| \`approvals.openLimit\` | ${openLimit} |`);
  expect(page).toContain(`| \`approvals.questionLimit\` | ${questionLimit} |`);
  expect(page).toContain(`| \`approvals.approvers\` | \`${approvers}\` |`);
});

test("the README's picture is the compiled graph", async () => {
  const { agent } = await import("../../template/graphs/agent.js");
  const drawn = (await agent.getGraphAsync()).drawMermaid().trim();
  expect(read("README.md")).toContain(`\`\`\`mermaid\n${drawn}\n\`\`\``);
});

test("the package's own agent graph has the template's wiring", async () => {
  const { agent } = await import("../../template/graphs/agent.js");
  const own = testAgent(script([])).graph;
  expect((await own.getGraphAsync()).drawMermaid()).toBe((await agent.getGraphAsync()).drawMermaid());
});

describe.each(pages)("%s", (page) => {
  test("links lead somewhere", () => {
    for (const [, target = ""] of read(page).matchAll(/\]\((?!https?:)([^)#]+)\)/g)) {
      expect(existsSync(join(root, dirname(page), target)), `${page} → ${target}`).toBe(true);
    }
  });

  test("every command is one that a test runs", () => {
    const blocks = [...read(page).matchAll(/```sh\n([\s\S]*?)```/g)].map(([, text = ""]) => text);
    for (const line of blocks.flatMap((block) => block.trim().split("\n"))) {
      expect(program(line), `${page}: ${line}`).toBeDefined();
    }
  });
});
