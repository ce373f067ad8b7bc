import { describe } from "vitest";
import { foldingSuite } from "./folding-suite.js";
import { postgresPlace, withoutPostgres } from "./support.js";

describe.skipIf(await withoutPostgres())("on a real server", () => foldingSuite("postgres", postgresPlace));
