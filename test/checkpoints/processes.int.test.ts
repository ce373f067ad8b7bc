import { afterAll, describe } from "vitest";
import { processSuite, Workers } from "./process-suite.js";
import { postgresPlace, sqlitePlace, withoutPostgres } from "./support.js";

const workers = new Workers();
afterAll(() => workers.kill());

processSuite("sqlite", sqlitePlace, workers);
describe.skipIf(await withoutPostgres())("on a real server", () => processSuite("postgres", postgresPlace, workers));
