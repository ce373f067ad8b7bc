import { effectsSuite } from "./effects-suite.js";
import { journalSuite } from "./journal-suite.js";
import { memoryPlace, sqlitePlace } from "./support.js";

journalSuite("sqlite", sqlitePlace);
effectsSuite("sqlite", sqlitePlace);
journalSuite("memory", memoryPlace);
effectsSuite("memory", memoryPlace);
