// A journal in a file of its own, with a recorded thread `t1` in it.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openJournal } from "../../checkpoints/index.js";
import { TOP } from "../../trust/index.js";
import { record } from "./tampering.js";

/** Records it. `a.db` in `folder` is the file. */
export async function recordedFile() {
  const folder = mkdtempSync(join(tmpdir(), "bulkhead-recording-"));
  const journal = openJournal("sqlite:a.db", { cwd: folder });
  await journal.beginThread("t1", "agent", TOP);
  await record(journal);
  return {
    folder,
    journal,
    recording: await journal.recording("t1"),
    async remove() {
      await journal.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
