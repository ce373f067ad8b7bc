import { sqlitePlace } from "./support.js";
import { tamperSuite } from "./tamper-suite.js";

tamperSuite("sqlite", sqlitePlace, 60);
