// Processes that start at once on a fresh database, as workers do: each makes the tables or waits for who does.

import { expect, test } from "vitest";
import { openStore } from "../../memory/index.js";
import { postgresPlace, withoutPostgres } from "../checkpoints/support.js";

test.skipIf(await withoutPostgres())(
  "stores that are opened at once on a fresh schema do not trip over each other",
  async () => {
    const place = postgresPlace();
    try {
      const opened = await Promise.all(Array.from({ length: 6 }, () => openStore(place.url)));
      await opened[0]?.store.put(["agent"], "a", { text: "known" });
      const [item] = (await opened[5]?.store.search(["agent"])) ?? [];
      await Promise.all(opened.map((each) => each.close()));
      expect(item?.value).toEqual({ text: "known" });
    } finally {
      await place.remove();
    }
  },
);
