import { describe } from "vitest";
import { postgresPlace, withoutPostgres } from "./support.js";
import { tamperSuite } from "./tamper-suite.js";

describe.skipIf(await withoutPostgres())("on a real server", () => tamperSuite("postgres", postgresPlace, 15));
