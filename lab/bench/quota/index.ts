// The benchmark of the quota: what harnesses make of a provider's requests per minute.

export type { QuotaRow } from "./measure.js";
export { benchQuota, type QuotaBench, type QuotaProgress } from "./run.js";
export { QUOTA_HARNESSES, QUOTA_PROVIDERS, type QuotaHarness, type QuotaProvider } from "./scenario.js";
