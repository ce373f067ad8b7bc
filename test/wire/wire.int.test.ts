// Every row of the table, through a real HTTP server, streamed and not: what the server does, and what comes of it.

import { describe, expect, test } from "vitest";
import { drive } from "./drive.js";
import { printed, table } from "./page.js";
import { rows } from "./rows/index.js";

test("no row is there twice", () => {
  const names = rows.map(({ family, behaviour, streamed }) => `${family}: ${behaviour} (${streamed})`);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});

describe.each(rows.map((row) => ({ name: `${row.family}: ${row.behaviour}`, row })))("$name", ({ row }) => {
  const ways = row.streamed === "both" ? [false, true] : [row.streamed];
  test.each(ways.map((streamed) => ({ way: streamed ? "streamed" : "whole", streamed })))(
    "$way",
    async ({ streamed }) => {
      await drive(row, streamed);
    },
  );
});

test("docs/providers.md has every row (npx tsx test/wire/page.ts writes it)", () => {
  expect(printed().trim()).toBe(table().trim());
});
