// What the provider saw: every request with its status, and the tokens of every answer it worked out. It is read from the
// provider itself, so that no harness counts for itself.

import type { Brain, OfflineProvider, ProviderRequest } from "../../../models/index.js";
import { countPromptTokens, tokenize } from "../../../models/offline/completion.js";

/** How often the provider's list of requests is read, in real milliseconds. It holds the last thousand. */
const LOOK_MS = 50;

/** The counts of a cell. */
export interface TrafficCounts {
  readonly http: number;
  readonly answered: number;
  readonly rateLimited: number;
  readonly failed: number;
  /** From the first request to the last answer, in the provider's milliseconds. */
  readonly spanMs: number;
}

/** Counts tokens of the answers that a brain gives. */
export function counted(brain: Brain): { readonly brain: Brain; tokens(): number } {
  let tokens = 0;
  return {
    brain: (request) => {
      const answer = brain(request);
      const calls = answer.toolCalls.reduce(
        (sum, call) => sum + 1 + tokenize(JSON.stringify(call.arguments)).length,
        0,
      );
      tokens += countPromptTokens(request) + tokenize(answer.content).length + calls;
      return answer;
    },
    tokens: () => tokens,
  };
}

/** Follows a provider's requests until it is stopped. */
export class Traffic {
  private last: ProviderRequest | undefined;
  private open: ProviderRequest[] = [];
  private http = 0;
  private readonly statuses = new Map<number, number>();
  private first: number | undefined;
  private answeredAt = 0;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly provider: Pick<OfflineProvider, "requests">,
    private readonly now: () => number,
  ) {
    this.timer = setInterval(() => this.look(), LOOK_MS).unref();
  }

  /** Stops following. What has no status by now was left by its caller. */
  stop(): TrafficCounts {
    clearInterval(this.timer);
    this.look();
    const of = (from: number, to: number) =>
      [...this.statuses].reduce((sum, [status, count]) => sum + (status >= from && status < to ? count : 0), 0);
    const rateLimited = this.statuses.get(429) ?? 0;
    const spanMs = this.first === undefined ? 0 : Math.max(0, this.answeredAt - this.first);
    return { http: this.http, answered: of(200, 300), rateLimited, failed: of(500, 600), spanMs };
  }

  /** Reads what is new. Called by itself often enough. */
  look(): void {
    const { requests } = this.provider;
    const known = this.last === undefined ? -1 : requests.lastIndexOf(this.last);
    const fresh = requests.slice(known + 1);
    this.last = fresh.at(-1) ?? this.last;
    this.first ??= fresh[0]?.at;
    this.http += fresh.length;
    this.open = [...this.open, ...fresh].filter(({ status }) => {
      if (status === undefined) return true;
      this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
      if (status < 300) this.answeredAt = this.now();
      return false;
    });
  }
}
