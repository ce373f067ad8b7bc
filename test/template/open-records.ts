// A process that opens a workspace for the first time. With `--die-at N` it is killed at its Nth insert, in the middle of
// seeding.

import Database from "libsql";
import { RecordsDatabase } from "../../template/nodes/records/database.js";

const [, , workspace = "", , fatalInsert] = process.argv;
if (fatalInsert !== undefined) {
  const { prepare } = Database.prototype;
  let inserts = 0;
  Database.prototype.prepare = function (this: Database.Database, sql: string) {
    if (sql.startsWith("insert into") && ++inserts === Number(fatalInsert)) process.kill(process.pid, "SIGKILL");
    return prepare.call(this, sql);
  } as typeof prepare;
}
const records = new RecordsDatabase(workspace);
process.stdout.write(String(records.count("select count(*) as count from tickets")));
records.once("one", "test", () => records.insert("deletions", { customer_id: "C-0000", reason: "test", at: "now" }));
records.close();
