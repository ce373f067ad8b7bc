import { describe } from "vitest";
import { postgresPlace, withoutPostgres } from "../checkpoints/support.js";
import { verifySuite } from "./verify-suite.js";

describe.skipIf(await withoutPostgres())("on a real server", () => verifySuite("postgres", postgresPlace));
