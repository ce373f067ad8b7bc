// The tools of the replay tests: every effect, every source, answers that are large, fail or are unclear. Each run is noted.

import { z } from "zod";
import { defineTool, type HarnessTool, labelled, OutcomeUnclearError } from "../../nodes/index.js";

/** The tools, and what they did. */
export function workingTools(delay: () => Promise<void>, lookDescription = "Reads a record.") {
  const ran: string[] = [];
  const run =
    <Args>(name: string, answer: (args: Args) => unknown) =>
    async (args: Args): Promise<unknown> => {
      ran.push(name);
      await delay();
      return answer(args);
    };
  const id = z.object({ id: z.string() });
  const paid = z.object({ to: z.string(), amount: z.number() });
  const reads = { effect: "none", schema: id } as const;
  const internal = { integrity: 2 } as const;
  const tools = [
    defineTool({
      ...{ ...reads, name: "look", description: lookDescription, source: internal },
      run: run("look", ({ id }: { id: string }) => ({ id, text: `the record ${id}` })),
    }),
    defineTool({
      ...{ ...reads, name: "mail", description: "Reads a mail.", source: { integrity: 1 } },
      run: run("mail", ({ id }: { id: string }) => `mail ${id}`),
    }),
    defineTool({
      ...{ ...reads, name: "web", description: "Reads a page." },
      run: run("web", ({ id }: { id: string }) => labelled(`page ${id}`, { integrity: 0 }, "a web page")),
    }),
    defineTool({
      ...{ ...reads, name: "fails", description: "Fails.", source: internal },
      run: run("fails", ({ id }: { id: string }) => {
        throw new Error(`no record ${id}`);
      }),
    }),
    defineTool({
      ...{ ...reads, name: "dump", description: "Reads a lot.", source: internal },
      run: run("dump", ({ id }: { id: string }) => `${id} `.repeat(800)),
    }),
    defineTool({
      ...{ name: "tag", description: "Tags a record.", schema: id, effect: "idempotent", honoursKey: true, source: {} },
      run: run("tag", ({ id }: { id: string }) => `tagged ${id}`),
    }),
    defineTool({
      ...{ name: "book", description: "Books.", schema: id, effect: "compensable", source: {} },
      preview: async ({ id }) => {
        await delay();
        return { shows: `books ${id}`, preconditions: { id } };
      },
      run: run("book", ({ id }: { id: string }) => `booked ${id}`),
    }),
    defineTool({
      ...{ name: "send", description: "Sends.", schema: id, source: {}, floor: { integrity: 1 } },
      run: run("send", ({ id }: { id: string }) => {
        throw new OutcomeUnclearError(`no answer about ${id}`);
      }),
    }),
    defineTool({
      ...{ name: "pay", description: "Pays.", schema: paid, source: {} },
      run: run("pay", ({ to, amount }: { to: string; amount: number }) => `paid ${amount} to ${to}`),
    }),
    defineTool({
      ...{ name: "erase", description: "Erases.", schema: id, source: {}, floor: "strict" as const },
      run: run("erase", ({ id }: { id: string }) => `erased ${id}`),
    }),
  ] as unknown as HarnessTool[];
  return { tools, ran };
}
