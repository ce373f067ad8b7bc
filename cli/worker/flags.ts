// The flags that the next command needs as well. A password is not repeated: what is printed may be kept.

import { redactUrl } from "../../checkpoints/database/target.js";
import { shellWord } from "../text.js";

/** `--db …` with a blank before it; empty when it was not given. */
export const databaseFlag = ({ db }: { readonly db?: string | undefined }): string =>
  db === undefined ? "" : ` --db ${shellWord(redactUrl(db))}`;

/** `--redis …` and `--queue …`, as far as they were given. */
export const queueFlags = ({ redis, queue }: { readonly redis?: string; readonly queue?: string }): string =>
  [
    ...(redis === undefined ? [] : [` --redis ${shellWord(redactUrl(redis))}`]),
    ...(queue === undefined ? [] : [` --queue ${shellWord(queue)}`]),
  ].join("");
