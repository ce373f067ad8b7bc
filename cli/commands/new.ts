// `bulkhead new`: its options. The scaffolder itself is `../scaffold.ts`.

import type { Command } from "commander";
import { command } from "../options.js";
import type { Terminal } from "../terminal.js";

export const newCommand = (terminal: Terminal): Command =>
  command("new", "make a project with an agent of your own", [
    "bulkhead new my-agent",
    "bulkhead new my-agent --package file:../bulkhead-0.1.0.tgz",
  ])
    .argument("<name>", "the new folder, which is also the package's name")
    .option("--package <spec>", "what the project depends on, as npm writes it (default: this very package)")
    .action(async (name: string, options: { readonly package?: string }) => {
      const { scaffold } = await import("../scaffold.js");
      const { folder, next } = await scaffold(name, { spec: options.package, cwd: terminal.cwd });
      terminal.out(`Made ${folder}`);
      terminal.out(`Next:\n${next.map((line) => `  ${line}`).join("\n")}`);
    });
