import { describe } from "vitest";
import { eraseSuite } from "./erase-suite.js";
import { plaintextSuite } from "./plaintext-suite.js";
import { postgresPlace, withoutPostgres } from "./support.js";

describe.skipIf(await withoutPostgres())("on a real server", () => {
  eraseSuite("postgres", postgresPlace);
  plaintextSuite("postgres", postgresPlace, 6);
});
