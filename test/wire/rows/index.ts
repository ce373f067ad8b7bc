// All rows. Add a file for a theme, and name it here.

import type { WireRow } from "../row.js";
import { plain } from "./plain.js";

export const rows: readonly WireRow[] = [...plain];
