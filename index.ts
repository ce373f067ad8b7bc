// The whole public face in one place. Each folder has its own entry, `bulkhead/graphs` and so on, which is what a
// project normally imports.

export * from "./capacity/index.js";
export * from "./checkpoints/index.js";
export * from "./graphs/index.js";
export * from "./memory/index.js";
export * from "./models/index.js";
export * from "./nodes/index.js";
export * from "./subagents/index.js";
export * from "./trust/index.js";
