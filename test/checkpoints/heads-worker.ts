// A process of its own that appends heads of many runs to one file, as journals do when runs end.

import { join } from "node:path";
import { openJournal } from "../../checkpoints/index.js";
import { keptHeads } from "../../checkpoints/journal/kept-heads.js";

const [folder = "", number = "", each = ""] = process.argv.slice(2);
const { seal } = openJournal("sqlite:a.db", { cwd: folder });
const heads = keptHeads(join(folder, "a.db.key"), join(folder, "a.db"), seal);
for (let index = 0; index < Number(each); index += 1) {
  await heads.keep([{ thread: "t1", run: `run ${number} ${index}`, length: 1, hash: "00" }], index);
}
