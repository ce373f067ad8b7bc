import Libsql from "libsql";
import { checkpointerSuite, officialSuite } from "./checkpointer-suite.js";
import { memoryPlace, type Place, sqlitePlace } from "./support.js";

const setStamp = async ({ url }: Place, version: number | undefined) => {
  const handle = new Libsql(url.slice("sqlite:".length));
  const text = "CAST(metadata AS TEXT)";
  const metadata =
    version === undefined
      ? `json_remove(${text}, '$.bulkhead_schema')`
      : `json_set(${text}, '$.bulkhead_schema', ${version})`;
  handle.exec(`UPDATE checkpoints SET metadata = CAST(${metadata} AS BLOB)`);
  handle.close();
};

checkpointerSuite("sqlite", sqlitePlace, setStamp);
checkpointerSuite("memory", memoryPlace);

// The name tells the suite to leave out one test that LangGraph's SqliteSaver does not pass.
officialSuite("@langchain/langgraph-checkpoint-sqlite", sqlitePlace);
