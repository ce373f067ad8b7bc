// The ledger's word for what clients throw: a table of look-alikes, and real clients against servers that refuse, break off
// and answer half. Only proof is `failed`; what is not proof is never sent again without a person.

import { readFileSync } from "node:fs";
import { createServer, request, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createSocketServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NotDoneError, OutcomeUnclearError } from "../../nodes/index.js";
import { FAMILIES } from "../../nodes/proof.js";
import { lookup, serve, text } from "../nodes/mcp-server.js";
import { CLIENT_ERRORS } from "./client-errors.js";
import { ledgerOf, word } from "./word.js";

describe("a look-alike", () => {
  test.each(CLIENT_ERRORS)("$family, $what: $word", async ({ thrown, word: expected }) => {
    expect(await word(() => Promise.reject(thrown()))).toBe(expected);
  });

  test.each(["compensable", "idempotent"] as const)("has the same word for a tool that is %s", async (effect) => {
    expect(await word(() => Promise.reject(new Error("no")), effect)).toBe("in_doubt");
    expect(await word(() => Promise.reject(new NotDoneError("no")), effect)).toBe("failed");
  });

  test("the tool's own word counts, and only its own", async () => {
    expect(await word(() => Promise.reject(new NotDoneError("refused")))).toBe("failed");
    expect(await word(() => Promise.reject(new Error("?", { cause: new NotDoneError("refused") })))).toBe("in_doubt");
    const unclear = new OutcomeUnclearError("?", { cause: new NotDoneError("refused") });
    expect(await word(() => Promise.reject(unclear))).toBe("in_doubt");
  });
});

describe("a client against a server", () => {
  let base = "";
  const server = createServer((incoming, answer) => void behaviours[incoming.url?.slice(1) ?? ""]?.(answer));
  const behaviours: Record<string, (answer: ServerResponse) => unknown> = {
    closes: (answer) => answer.destroy(),
    half: (answer) => {
      answer.writeHead(200, { "content-length": "100" });
      answer.write('{"refunded":', () => answer.destroy());
    },
    nonsense: (answer) => answer.end("{"),
    "404": (answer) => answer.writeHead(404).end('{"statusCode":404,"name":"NotDoneError"}'),
    "500": (answer) => answer.writeHead(500).end('{"statusCode":404,"code":"ECONNREFUSED","syscall":"connect"}'),
  };
  // Closes what was to become TLS.
  const plain = createSocketServer((socket) => socket.destroy());
  /** A port on which nobody listens any more. */
  let dead = 0;

  beforeAll(async () => {
    for (const each of [server, plain]) await new Promise<void>((resolve) => each.listen(0, "127.0.0.1", resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const gone = createSocketServer();
    await new Promise<void>((resolve) => gone.listen(0, "127.0.0.1", resolve));
    dead = (gone.address() as AddressInfo).port;
    await new Promise((resolve) => gone.close(resolve));
  });
  afterAll(() => void [server.closeAllConnections(), server.close(), plain.close()]);

  const url = (path: string) => `${base}/${path}`;
  const post = (to: string, signal: AbortSignal) => fetch(to, { method: "POST", body: "{}", signal });
  const byHttp = (to: string) =>
    new Promise<string>((resolve, reject) => {
      const sent = request(to, { method: "POST" }, (answer) => {
        answer
          .setEncoding("utf8")
          .toArray()
          .then((parts) => resolve(parts.join("")), reject);
      });
      sent.on("error", reject).end("{}");
    });

  test.each([
    ["fetch, nobody listens", (signal: AbortSignal) => post(`http://127.0.0.1:${dead}/`, signal), "failed"],
    ["fetch, no such host", (signal: AbortSignal) => post("http://nobody.invalid/", signal), "failed"],
    [
      "fetch, closed in the TLS handshake",
      (signal: AbortSignal) => post(`https://127.0.0.1:${(plain.address() as AddressInfo).port}/`, signal),
      "failed",
    ],
    ["fetch, closed after the request", (signal: AbortSignal) => post(url("closes"), signal), "in_doubt"],
    ["fetch, half a body", async (signal: AbortSignal) => (await post(url("half"), signal)).json(), "in_doubt"],
    ["fetch, no JSON", async (signal: AbortSignal) => (await post(url("nonsense"), signal)).json(), "in_doubt"],
    [
      "fetch, the body of a 404 thrown as it is",
      async (signal: AbortSignal) => Promise.reject(await (await post(url("404"), signal)).json()),
      "in_doubt",
    ],
    [
      "fetch, the body of a 500 in an error",
      async (signal: AbortSignal) => {
        throw Object.assign(new Error("500"), { status: 500 }, await (await post(url("500"), signal)).json());
      },
      "in_doubt",
    ],
    ["node:http, nobody listens", () => byHttp(`http://127.0.0.1:${dead}/`), "failed"],
    ["node:http, nobody listens on any address", () => byHttp(`http://localhost:${dead}/`), "failed"],
    ["node:http, closed after the request", () => byHttp(url("closes")), "in_doubt"],
    ["node:http, half a body", () => byHttp(url("half")), "in_doubt"],
  ] as const)("%s", async (_, run, expected) => {
    expect(await word(run)).toBe(expected);
  });
});

describe("a tool of an MCP server", () => {
  test.each([
    ["says that it failed", () => ({ ...text("no such order"), isError: true })],
    [
      "throws InvalidParams",
      () => {
        throw Object.assign(new Error("no"), { code: -32602 });
      },
    ],
  ] as const)("that %s may have done it", async (_, answer) => {
    const { load } = await serve(lookup, answer as never);
    const tool = await load({ source: { integrity: 3 } });
    expect((await ledgerOf(tool, { order: "1" })).status).toBe("in_doubt");
  });
});

test("the page of effects has the table of the code", () => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/effects.md"), "utf8");
  for (const { name, refused, unclear } of FAMILIES) expect(page).toContain(`| ${name} | ${refused} | ${unclear} |`);
});
