import { eraseSuite } from "./erase-suite.js";
import { plaintextSuite } from "./plaintext-suite.js";
import { sqlitePlace } from "./support.js";

eraseSuite("sqlite", sqlitePlace);
plaintextSuite("sqlite", sqlitePlace, 25);
