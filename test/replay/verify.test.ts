import { sqlitePlace } from "../checkpoints/support.js";
import { verifySuite } from "./verify-suite.js";

verifySuite("sqlite", sqlitePlace);
