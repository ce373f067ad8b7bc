import { describe } from "vitest";
import { approvalsSuite } from "./approvals-suite.js";
import { forgerySuite } from "./forgery-suite.js";
import { postgresPlace, withoutPostgres } from "./support.js";

describe.skipIf(await withoutPostgres())("on a real server", () => {
  approvalsSuite("postgres", postgresPlace);
  forgerySuite("postgres", postgresPlace);
});
