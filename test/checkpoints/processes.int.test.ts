import { describe } from "vitest";
import { processSuite } from "./process-suite.js";
import { postgresPlace, sqlitePlace, withoutPostgres } from "./support.js";

processSuite("sqlite", sqlitePlace);
describe.skipIf(await withoutPostgres())("on a real server", () => processSuite("postgres", postgresPlace));
