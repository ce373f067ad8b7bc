// A way to a model: which one, at which provider, under which quota.

import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import type { QuotaPool } from "./pool.js";

/** One model that may answer. */
export interface ModelRoute {
  /** The model that is asked. */
  readonly name: string;
  /** Who serves it: `openai`, `offline`, or the host of a base URL. */
  readonly provider: string;
  /** Whether it is the offline stand-in and not a language model. */
  readonly offline: boolean;
  /** A client without retries of its own whose `fetch` is `pool.gate(…)`. */
  readonly model: BaseChatModel;
  readonly pool: QuotaPool;
  /** Other names of the model, under which its provider may report it; a `*` at the end stands for anything. Default: none. */
  readonly aliases?: readonly string[];
  /** Whether it can call tools. Default `true`. A route that cannot is not asked when there are tools. */
  readonly tools?: boolean;
  /** The longest prompt that it takes, in tokens. Default: not known, taken for enough. */
  readonly contextTokens?: number;
}
