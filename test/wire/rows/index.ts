// All rows. Add a file for a theme, and name it here.

import type { WireRow } from "../row.js";
import { limits } from "./limits.js";
import { plain } from "./plain.js";

export const rows: readonly WireRow[] = [...plain, ...limits];
