import { approvalsSuite } from "./approvals-suite.js";
import { forgerySuite } from "./forgery-suite.js";
import { memoryPlace, sqlitePlace } from "./support.js";

approvalsSuite("sqlite", sqlitePlace);
approvalsSuite("memory", memoryPlace);
forgerySuite("sqlite", sqlitePlace);
