import { leaseSuite } from "./lease-suite.js";
import { sqlitePlace } from "./support.js";

leaseSuite("sqlite", sqlitePlace);
