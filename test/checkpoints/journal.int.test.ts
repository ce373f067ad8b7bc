import { describe } from "vitest";
import { effectsSuite } from "./effects-suite.js";
import { journalSuite } from "./journal-suite.js";
import { postgresPlace, withoutPostgres } from "./support.js";

describe.skipIf(await withoutPostgres())("on a real server", () => {
  journalSuite("postgres", postgresPlace);
  effectsSuite("postgres", postgresPlace);
});
