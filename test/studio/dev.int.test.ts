// `bulkhead dev` as Studio uses it: the real dev server, offline and without a key, and a run with an approval that is
// given through the API.

import { Client } from "@langchain/langgraph-sdk";
import { afterAll, expect, test } from "vitest";
import { Place } from "../cli/bulkhead.js";

const place = new Place();
afterAll(() => place.clear());

interface Approval {
  readonly type: string;
  readonly requests: readonly { readonly id: string; readonly tool: string; readonly arguments: unknown }[];
}

test("the dev server serves the graph with schemas, and a run waits for an approval given through the SDK", async () => {
  const server = place.start(["dev"]);
  await server.until(/API: +http:\S+/);
  const apiUrl = /API: +(http:\S+)/.exec(server.stdout)?.[1] ?? "";
  expect(server.stdout).toContain(`https://smith.langchain.com/studio?baseUrl=${apiUrl}`);
  const client = new Client({ apiUrl });

  const [assistant] = await client.assistants.search({ graphId: "agent" });
  const schemas = await client.assistants.getSchemas(assistant?.assistant_id ?? "");
  expect(Object.keys(schemas.input_schema?.properties ?? {})).toEqual(["messages"]);
  expect(Object.keys(schemas.state_schema?.properties ?? {})).toContain("trust");

  const { thread_id: thread } = await client.threads.create();
  const messages = [{ role: "user", content: "Ticket 1042 asks us to delete the account of Harbor Bakery. Do it." }];
  await client.runs.wait(thread, "agent", { input: { messages } });
  const waiting = await client.threads.getState(thread);
  const asked = waiting.tasks.flatMap((task) => task.interrupts)[0];
  const requests = (asked?.value as Approval | undefined)?.requests ?? [];
  expect(requests).toMatchObject([{ tool: "delete_customer", arguments: { customer_id: "C-0212" } }]);
  expect(place.rows("select * from customers where customer_id = 'C-0212'")).toHaveLength(1);

  const decisions = requests.map(({ id }) => ({ id, decision: "approve" }));
  await client.runs.wait(thread, "agent", { command: { resume: { [asked?.id ?? ""]: { decisions } } } });
  const { values } = await client.threads.getState<{ trust: { integrity: number }; messages: { content: string }[] }>(
    thread,
  );
  expect(values.messages.at(-1)?.content).toContain("C-0212");
  expect(values.trust.integrity).toBe(2);
  const bakeries = place.rows("select customer_id from customers where name = 'Harbor Bakery'");
  expect(bakeries).toEqual([{ customer_id: "C-0107" }]);

  server.child.kill("SIGINT");
  await server.ended;
}, 240_000);
