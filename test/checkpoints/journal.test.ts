import { journalSuite } from "./journal-suite.js";
import { memoryPlace, sqlitePlace } from "./support.js";

journalSuite("sqlite", sqlitePlace);
journalSuite("memory", memoryPlace);
