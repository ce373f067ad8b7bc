import { foldingSuite } from "./folding-suite.js";
import { sqlitePlace } from "./support.js";

foldingSuite("SQLite", sqlitePlace);
