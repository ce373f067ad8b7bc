// The customer-records workspace: the tools an agent gets for it, over a database that is made on first use.

import type { HarnessTool } from "bulkhead/nodes";
import { actionTools } from "./actions.js";
import { customerTools } from "./customers.js";
import { RecordsDatabase } from "./database.js";
import { orderTools } from "./orders.js";
import { ticketTools } from "./tickets.js";

export { recordsFile } from "./database.js";

/** What {@link recordsTools} may be told. */
export interface RecordsOptions {
  /** The time that is written into records. Default: the machine's clock. */
  readonly now?: () => Date;
}

/**
 * The tools over the records in the directory `workspace`. Nothing is opened or made before the first call; that call
 * throws a `WorkspaceError` when the directory cannot be used.
 */
export function recordsTools(workspace: string, options: RecordsOptions = {}): readonly HarnessTool[] {
  let database: RecordsDatabase | undefined;
  const open = (): RecordsDatabase => {
    database ??= new RecordsDatabase(workspace, options.now);
    return database;
  };
  return [...customerTools(open), ...orderTools(open), ...ticketTools(open), ...actionTools(open)];
}
