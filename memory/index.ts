// What outlives a thread: the store, items that keep their label in it, and what the operator wrote for every run.

export { MemoryFileError, StoreError, type StoreErrorCode } from "./errors.js";
export { loadInstructions } from "./instructions.js";
export {
  type LabelledMemory,
  type LabelledMemoryOptions,
  labelledMemory,
  type MemoryItem,
  type NewMemory,
} from "./labelled.js";
export { loadSkills, readSkill, type Skill, type SkillReport } from "./skills.js";
export { SqliteStore, type SqliteStoreOptions } from "./sqlite.js";
export { type OpenedStore, type OpenStoreOptions, openStore } from "./store.js";
export type { NamedEmbeddings } from "./vectors.js";
