// Which model answers: settings, resolution, the offline provider, embeddings.

export * from "./embeddings.js";
export { ENVIRONMENT, OPENAI_URL } from "./environment.js";
export {
  compareAnswers,
  type Difference,
  type Nondeterminism,
  type Samples,
  type Sampling,
  sampleAnswers,
} from "./nondeterminism.js";
export * from "./offline/index.js";
export { type ProbeResult, probeModel } from "./probe.js";
export { type ModelDescription, type ResolvedModel, type ResolveOptions, resolveModel } from "./resolve.js";
export type { SecretSettings } from "./secrets.js";
export { type RouteSettings, readSettings, type Settings, SettingsError } from "./settings.js";
