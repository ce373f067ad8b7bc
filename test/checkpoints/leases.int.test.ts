import { describe } from "vitest";
import { leaseSuite } from "./lease-suite.js";
import { postgresPlace, withoutPostgres } from "./support.js";

describe.skipIf(await withoutPostgres())("on a real server", () => leaseSuite("postgres", postgresPlace));
