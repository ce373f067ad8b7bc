import { afterAll, expect, test } from "vitest";
import { Place } from "../cli/bulkhead.js";
import { documented } from "./commands.js";

const place = new Place();
afterAll(() => place.clear());

test.each(documented)(
  "%s",
  async (_, { args, code }) => {
    const ended = await place.bulkhead(args);
    expect(ended.code, ended.stderr).toBe(code);
  },
  60_000,
);
