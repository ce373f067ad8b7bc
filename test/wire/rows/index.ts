// All rows. Add a file for a theme, and name it here.

import type { WireRow } from "../row.js";
import { calls } from "./calls.js";
import { doubts } from "./doubts.js";
import { empty } from "./empty.js";
import { events } from "./events.js";
import { incoming } from "./incoming.js";
import { limits } from "./limits.js";
import { overflow } from "./overflow.js";
import { plain } from "./plain.js";
import { back } from "./returned.js";
import { statuses } from "./statuses.js";

export const rows: readonly WireRow[] = [
  ...plain,
  ...calls,
  ...doubts,
  ...empty,
  ...back,
  ...incoming,
  ...limits,
  ...overflow,
  ...events,
  ...statuses,
];
