// `bulkhead graph`: the compiled graph as a Mermaid picture.

import type { Command } from "commander";
import { command } from "../options.js";
import type { Terminal } from "../terminal.js";

export const graphCommand = (terminal: Terminal): Command =>
  command("graph", "print the compiled graph as Mermaid", ["bulkhead graph", "bulkhead graph agent > agent.mmd"])
    .argument("[name]", "which graph of langgraph.json (default: agent)")
    .action(async (name: string | undefined) => {
      const { configure, graphName, loadGraph, requireProject } = await import("../project.js");
      const project = requireProject(terminal.cwd);
      await configure(terminal, project, {});
      const { graph, harness } = await loadGraph(project, graphName(project, name));
      try {
        terminal.out((await graph.getGraphAsync()).drawMermaid().trimEnd());
      } finally {
        await harness.close();
      }
    });
