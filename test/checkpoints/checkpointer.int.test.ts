import { describe } from "vitest";
import { checkpointerSuite, officialSuite } from "./checkpointer-suite.js";
import { onPostgres, type Place, postgresPlace, withoutPostgres } from "./support.js";

const setStamp = async ({ url }: Place, version: number | undefined) => {
  const schema = new URL(url).searchParams.get("schema") ?? "";
  const metadata =
    version === undefined ? "metadata - 'bulkhead_schema'" : `metadata || '{"bulkhead_schema":${version}}'`;
  await onPostgres(schema, `UPDATE checkpoints SET metadata = ${metadata}`);
};

describe.skipIf(await withoutPostgres())("on a real server", () => {
  checkpointerSuite("postgres", postgresPlace, setStamp);
  officialSuite("bulkhead-postgres", postgresPlace);
});
