// What proves that an effect did not happen, by the client that was used. An error proves it only when the client is known
// to say so of the one request that was made: refused by the server's status, or never connected. Everything else is
// unclear. A client is known by the class that threw, or, where a bundler or a wrapper took that away, by all the marks that
// its errors have: a status alone is no mark.

import { types } from "node:util";
import {
  at,
  isMoreThan,
  isNamed,
  isPlain,
  madeBy,
  makersOf,
  neverConnected,
  saysConnecting,
  type Thrown,
} from "./thrown.js";

/** One family of clients. `refused` and `unclear` are for people: the table in `docs/effects.md` is made of them. */
interface Family {
  readonly name: string;
  /** Whether an error is of this family. It decides alone then. */
  is(error: Thrown): boolean;
  /** Whether the error proves that nothing was done. */
  proves(error: Thrown): boolean;
  readonly refused: string;
  readonly unclear: string;
}

/** Whether `error` proves that the effect did not happen and will not, as far as its client is known. Total. */
export function provesNotDone(error: unknown): boolean {
  try {
    if (!types.isNativeError(error)) return false; // JSON is no error, whatever it says of itself.
    const thrown = error as unknown as Thrown;
    return FAMILIES.find((family) => family.is(thrown))?.proves(thrown) ?? false;
  } catch {
    return false; // A throwing getter proves nothing.
  }
}

/**
 * HTTP statuses with which a server refuses before it does anything. Not among them: 406 (frameworks answer it when the
 * result cannot be written), 408 and 499 (a gateway gave up waiting), 409 (often *already done* or *in progress*), 424 (a
 * part failed), and whatever is not registered.
 */
const REFUSED: ReadonlySet<unknown> = new Set([
  ...[
    400, 401, 402, 403, 404, 405, 407, 410, 411, 412, 413, 414, 415, 417, 421, 422, 423, 425, 426, 428, 429, 431, 451,
  ],
]);

/** Stripe repeats by itself and does not say how often: only what holds for every attempt under one key counts. */
const STRIPE = new Map<string, (error: Thrown) => boolean>([
  ["StripeCardError", ({ statusCode }) => statusCode === 402],
  ["StripeAuthenticationError", ({ statusCode }) => statusCode === 401],
  ["StripePermissionError", ({ statusCode }) => statusCode === 403],
  [
    "StripeInvalidRequestError",
    // Without a key (a `DELETE`), 404 is also what a repetition of something that was done gets.
    (error) =>
      error["statusCode"] === 400 ||
      (error["statusCode"] === 404 && at(error, "headers", "idempotency-key") !== undefined),
  ],
]);

const STRIPE_TYPE = /^Stripe[A-Z][A-Za-z]{2,30}Error$/;

/** INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED, FAILED_PRECONDITION, OUT_OF_RANGE, UNIMPLEMENTED, UNAUTHENTICATED. */
const GRPC_REFUSED: ReadonlySet<unknown> = new Set([3, 5, 6, 7, 9, 11, 12, 16]);
/** UNIMPLEMENTED is also how grpc-js names an answer that it cannot use. */
const GRPC_LOST: ReadonlySet<unknown> = new Set(["No message received", "Too many responses received"]);

/** `5 NOT_FOUND: no such charge`: how grpc-js puts code and details into the message. */
const saysStatus = ({ code, details, message }: Thrown): boolean =>
  typeof details === "string" && new RegExp(`^${Number(code)} [A-Z_]{2,40}: `).test(String(message).slice(0, 60));

function previousAttempts(metadata: unknown): readonly unknown[] {
  const get = (metadata as { get?: unknown } | null | undefined)?.get;
  if (typeof get !== "function") return [];
  const said: unknown = Reflect.apply(get, metadata, ["grpc-previous-rpc-attempts"]);
  return Array.isArray(said) ? said : [];
}

/** SQLSTATE classes of statements that were rolled back. Not 08, 57, 58, XX (the server or the connection is going). */
const SQL_REFUSED = /^(?:0A|21|22|23|25|26|28|2B|3D|3F|40|42|44|53|54|55|P0)/;
/** FATAL while a session is being set up. */
const SQL_NO_SESSION = /^(?:28...|3D000|53300|57P03)$/;

/** How nodemailer says that a message was refused, or never offered. Its command is `CONN` whenever a connection breaks. */
const MAIL = new Map<unknown, (error: Thrown) => boolean>([
  ["EENVELOPE", ({ command }) => ["API", "MAIL FROM", "RCPT TO", "DATA"].includes(String(command))],
  ["EAUTH", ({ command }) => command === "API" || String(command).startsWith("AUTH ")],
  [
    "EMESSAGE",
    ({ command, responseCode }) =>
      command === "API" ||
      command === "MAIL FROM" ||
      (command === "DATA" && Number(responseCode) >= 400 && Number(responseCode) <= 599 && responseCode !== 421),
  ],
  ["EDNS", () => true],
  ["ETLS", () => true],
  ["EREQUIRETLS", () => true],
  ["ESOCKET", ({ syscall }) => syscall === "connect" || syscall === "getaddrinfo"],
  ["ETIMEDOUT", ({ timeoutType }) => timeoutType === "CONNECT_TIMEOUT"],
]);

/** Whether a redirect was followed: a POST may have been done, and the page behind it not be there. */
const wasRedirected = (request: unknown): boolean => isMoreThan(0, at(request, "_redirectable", "_redirectCount"));

/** The families, and what is known of each. The first that knows an error decides. */
export const FAMILIES: readonly Family[] = [
  {
    name: "axios",
    is: (error) => madeBy(error, "AxiosError") || error["isAxiosError"] === true,
    proves: (error) => {
      if (isMoreThan(0, at(error, "config", "axios-retry", "retryCount"))) return false;
      if (isMoreThan(0, at(error, "config", "raxConfig", "currentRetryAttempt"))) return false;
      // Its `fetch` adapter follows redirects, and does not say so.
      if (at(error, "config", "adapter") === "fetch" || madeBy(error["request"], "Request")) return false;
      const { response, request, cause } = error;
      if (wasRedirected(request) || wasRedirected(at(response, "request"))) return false;
      if (typeof response === "object" && response !== null) return REFUSED.has(at(response, "status"));
      return cause === undefined ? saysConnecting(error) : neverConnected(cause);
    },
    refused: "a refusing status; a connection never made",
    unclear:
      "any other status, `ECONNRESET`, `ECONNABORTED`, a time-out, a body cut off, after a redirect, axios-retry or retry-axios, with its `fetch` adapter",
  },
  {
    name: "got",
    is: (error) =>
      (madeBy(error, "RequestError") && "options" in error) ||
      (isNamed(error, "HTTPError") && error["code"] === "ERR_NON_2XX_3XX_RESPONSE") ||
      (isNamed(error, "TimeoutError") && typeof error["event"] === "string"),
    proves: (error) => {
      const seen = [error["request"], error["response"]];
      if (seen.some((each) => isMoreThan(0, at(each, "retryCount")))) return false;
      if (seen.some((each) => isMoreThan(0, at(each, "redirectUrls", "length")))) return false;
      if (isNamed(error, "HTTPError")) return REFUSED.has(at(error, "response", "statusCode"));
      if (isNamed(error, "TimeoutError"))
        return ["lookup", "connect", "secureConnect"].includes(String(error["event"]));
      return error["cause"] === undefined ? saysConnecting(error) : neverConnected(error["cause"]);
    },
    refused:
      "`HTTPError` with a refusing status; a connection never made, or timed out in `lookup`, `connect`, `secureConnect`",
    unclear: "any other status, `ReadError`, other time-outs, after a redirect or when `retryCount` is not 0",
  },
  {
    name: "AWS SDK v3",
    is: (error) =>
      madeBy(error, "ServiceException") || (typeof error["$fault"] === "string" && error["name"] !== "Error"),
    proves: ({ $metadata, name }) =>
      !isMoreThan(1, at($metadata, "attempts")) &&
      REFUSED.has(at($metadata, "httpStatusCode")) &&
      !/InProgress|Idempoten|Timeout/.test(String(name).slice(0, 200)),
    refused: "a refusing status on the first attempt; a connection never made, likewise",
    unclear: "`$metadata.attempts` above 1, 5xx, a time-out, `…InProgress…`, `Idempotent…`",
  },
  {
    name: "gRPC (`@grpc/grpc-js`)",
    is: (error) =>
      isPlain(error) &&
      typeof error["code"] === "number" &&
      (madeBy(error["metadata"], "Metadata") || saysStatus(error)),
    proves: ({ code, details, metadata }) =>
      GRPC_REFUSED.has(code) &&
      !(code === 12 && GRPC_LOST.has(details)) &&
      !previousAttempts(metadata).some((n) => n !== "0"),
    refused:
      "INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED, UNAUTHENTICATED, FAILED_PRECONDITION, OUT_OF_RANGE, UNIMPLEMENTED, on the first attempt",
    unclear:
      "UNAVAILABLE (it does not say whether it was sent), DEADLINE_EXCEEDED, CANCELLED, ABORTED, UNKNOWN, INTERNAL, DATA_LOSS, RESOURCE_EXHAUSTED (also said of an answer that is too large)",
  },
  {
    name: "Stripe",
    is: (error) => madeBy(error, "StripeError") || (STRIPE_TYPE.test(String(error["type"])) && "rawType" in error),
    proves: (error) => {
      const kind = madeBy(error, "StripeError") ? makersOf(error)[0] : String(error["type"]);
      if (kind === "StripeConnectionError") {
        return (
          !/ was retried \d+ times/.test(String(error["message"]).slice(0, 500)) && neverConnected(error["detail"])
        );
      }
      return STRIPE.get(kind ?? "")?.(error) ?? false;
    },
    refused:
      "`StripeCardError`, `StripeInvalidRequestError` (400, and 404 under an idempotency key), `StripeAuthenticationError`, `StripePermissionError`; a connection never made and not retried",
    unclear:
      "`StripeConnectionError` else, `StripeAPIError`, `StripeIdempotencyError`, `StripeRateLimitError` (it may be the repetition of a request that was done), any other",
  },
  {
    name: "pg",
    is: (error) => isNamed(error, "DatabaseError") || (error["name"] === "error" && "severity" in error),
    proves: ({ code, severity }) =>
      typeof code === "string" &&
      code.length === 5 &&
      ((severity === "ERROR" && SQL_REFUSED.test(code) && code !== "40003") ||
        (severity === "FATAL" && SQL_NO_SESSION.test(code))),
    refused: "`ERROR` of a statement that was rolled back (SQLSTATE 22, 23, 40, 42, …); a session that was refused",
    unclear: "a connection that broke (also in `COMMIT`), SQLSTATE 08, 57 (shut down, cancelled), 58, XX, 40003",
  },
  {
    name: "nodemailer",
    is: (error) => isPlain(error) && typeof error["command"] === "string" && MAIL.has(error["code"]),
    proves: (error) => MAIL.get(error["code"])?.(error) ?? false,
    refused:
      "`EENVELOPE`, `EAUTH`, `EMESSAGE` with the server's 4xx or 5xx; `EDNS`, `ETLS`, a connection never made or timed out",
    unclear: "`ECONNECTION`, `ETIMEDOUT` and `ESOCKET` once there was a connection, 421 after `DATA`",
  },
  {
    name: "undici",
    is: (error) => madeBy(error, "UndiciError") || String(error["code"]).startsWith("UND_ERR_"),
    proves: (error) =>
      neverConnected(error) ||
      ((isNamed(error, "ResponseError") || isNamed(error, "ResponseStatusCodeError")) &&
        REFUSED.has(error["statusCode"])),
    refused: "`ResponseError` with a refusing status; a connection never made or timed out",
    unclear: "`SocketError`, `HeadersTimeoutError`, `BodyTimeoutError`, `RequestRetryError`, any other status",
  },
  {
    name: "Twilio",
    is: (error) => isNamed(error, "RestException"),
    proves: ({ status }) => REFUSED.has(status),
    refused: "`RestException` with a refusing status",
    unclear: "any other status; a connection that broke",
  },
  {
    name: "SendGrid",
    is: (error) => isNamed(error, "ResponseError") && typeof error["code"] === "number",
    proves: ({ code }) => REFUSED.has(code),
    refused: "`ResponseError` with a refusing status",
    unclear: "any other status; a connection that broke",
  },
  {
    name: "node-fetch",
    is: (error) => isNamed(error, "FetchError"),
    proves: (error) => error["type"] === "system" && saysConnecting(error),
    refused: "a connection never made (a status is not thrown)",
    unclear: "everything else",
  },
  {
    name: "MCP",
    is: (error) => isNamed(error, "McpError"),
    proves: () => false,
    refused: "nothing: what a server says of its own failure is no proof, and InvalidParams is also said of a result",
    unclear: "`isError`, every `McpError`, a connection that broke, a time-out",
  },
  {
    name: "`fetch`",
    is: (error) => makersOf(error)[0] === "TypeError" && error["message"] === "fetch failed",
    proves: ({ cause }) => neverConnected(cause),
    refused: "a connection never made or timed out (a status is not thrown: look at `response.status`)",
    unclear: "`other side closed`, `terminated`, a body cut off, an abort",
  },
  {
    name: "`node:http`, `node:net`, `node:tls`",
    is: () => true,
    proves: neverConnected,
    refused: "`ECONNREFUSED`, `ENOTFOUND`, `EAI_AGAIN`, `connect ETIMEDOUT`, a certificate or handshake that failed",
    unclear: "`socket hang up`, `ECONNRESET`, `EPIPE`, and every error of unknown meaning",
  },
];
