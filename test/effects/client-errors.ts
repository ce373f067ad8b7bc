// What each family of clients throws before, during and after sending, and the ledger's word for it.

import {
  APIError,
  AxiosError,
  axios,
  axiosCaused,
  BodyTimeoutError,
  ConnectTimeoutError,
  DatabaseError,
  FetchError,
  got,
  gotCaused,
  gotTimeout,
  grpc,
  HeadersTimeoutError,
  McpError,
  mail,
  REFUSED,
  RESET,
  ReadError,
  ResponseError,
  RestException,
  SESv2ServiceException,
  ServiceException,
  SocketError,
  StripeAPIError,
  StripeAuthenticationError,
  StripeCardError,
  StripeIdempotencyError,
  StripeInvalidRequestError,
  StripePermissionError,
  StripeRateLimitError,
  stripeLost,
  system,
  UndiciResponseError,
} from "./client-look-alikes.js";

/** What the ledger says of an effect that threw. */
export type Word = "failed" | "in_doubt";

export interface Row {
  readonly family: string;
  readonly what: string;
  readonly thrown: () => unknown;
  readonly word: Word;
}

const marked = (name: string, marks: object) => Object.assign(new Error("it failed"), { name, ...marks });
const fetchFailed = (cause: unknown) => new TypeError("fetch failed", { cause });
const rows = (family: string, word: Word, thrown: Readonly<Record<string, () => unknown>>): Row[] =>
  Object.entries(thrown).map(([what, make]) => ({ family, what, thrown: make, word }));
const each = <Of>(list: readonly Of[], what: (of: Of) => string, make: (of: Of) => unknown) =>
  Object.fromEntries(list.map((of) => [what(of), () => make(of)]));

const REFUSING = [400, 401, 402, 403, 404, 405, 410, 412, 413, 415, 422, 423, 425, 428, 429, 431, 451];
const NOT_REFUSING = [301, 303, 406, 408, 409, 418, 424, 430, 460, 499, 500, 502, 503, 504, 529];

/** Every family, before, during and after sending, with the ledger's word. */
export const CLIENT_ERRORS: readonly Row[] = [
  ...rows("node", "failed", {
    "connect ECONNREFUSED": REFUSED,
    "connect ETIMEDOUT": () => system("connect", "ETIMEDOUT"),
    "connect EHOSTUNREACH": () => system("connect", "EHOSTUNREACH"),
    "connect ENOENT (a socket's path)": () => system("connect", "ENOENT"),
    "getaddrinfo ENOTFOUND": () => system("getaddrinfo", "ENOTFOUND"),
    "getaddrinfo EAI_AGAIN": () => system("getaddrinfo", "EAI_AGAIN"),
    "ECONNREFUSED of every address": () =>
      Object.assign(new AggregateError([REFUSED(), system("connect", "ETIMEDOUT")]), { code: "ECONNREFUSED" }),
    "a code and its message, no system call": () =>
      Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:1"), { code: "ECONNREFUSED" }),
    "a certificate that expired": () =>
      Object.assign(new Error("certificate has expired"), { code: "CERT_HAS_EXPIRED" }),
    "a certificate for another host": () =>
      Object.assign(new Error("altnames"), { code: "ERR_TLS_CERT_ALTNAME_INVALID", reason: "", host: "", cert: {} }),
    "closed in the handshake": () =>
      Object.assign(new Error("Client network socket disconnected before secure TLS connection was established"), {
        ...{ code: "ECONNRESET", path: undefined, host: "a", port: 443, localAddress: undefined },
      }),
  }),
  ...rows("node", "in_doubt", {
    "socket hang up": RESET,
    "read ECONNRESET": () => system("read", "ECONNRESET"),
    "read ETIMEDOUT": () => system("read", "ETIMEDOUT"),
    "read EHOSTUNREACH": () => system("read", "EHOSTUNREACH"),
    "write EPIPE": () => system("write", "EPIPE"),
    EPROTO: () => system("write", "EPROTO"),
    "wrong version number (a network can inject it)": () =>
      Object.assign(new Error("ssl3_get_record:wrong version number"), { code: "ERR_SSL_WRONG_VERSION_NUMBER" }),
    "one address refused, another reset": () =>
      Object.assign(new AggregateError([REFUSED(), RESET()]), { code: "ECONNREFUSED" }),
    "the author's own AggregateError": () => new AggregateError([REFUSED()]),
    "parse error of a response": () => Object.assign(new Error("Parse Error"), { code: "HPE_INVALID_CONSTANT" }),
    aborted: () => Object.assign(new Error("aborted"), { code: "ECONNRESET" }),
  }),
  ...rows("fetch", "failed", {
    ECONNREFUSED: () => fetchFailed(REFUSED()),
    ENOTFOUND: () => fetchFailed(system("getaddrinfo", "ENOTFOUND")),
    "connect timed out": () => fetchFailed(new ConnectTimeoutError("ConnectTimeoutError", "UND_ERR_CONNECT_TIMEOUT")),
    "a self-signed certificate": () =>
      fetchFailed(Object.assign(new Error("self-signed certificate"), { code: "DEPTH_ZERO_SELF_SIGNED_CERT" })),
  }),
  ...rows("fetch", "in_doubt", {
    "other side closed": () => fetchFailed(new SocketError("SocketError", "UND_ERR_SOCKET")),
    "headers timed out": () => fetchFailed(new HeadersTimeoutError("HeadersTimeoutError", "UND_ERR_HEADERS_TIMEOUT")),
    "body cut off": () =>
      new TypeError("terminated", { cause: new BodyTimeoutError("BodyTimeoutError", "UND_ERR_BODY_TIMEOUT") }),
    "body cut off, as JSON": () => new SyntaxError("Unexpected end of JSON input"),
    "no cause": () => new TypeError("fetch failed"),
    "a time-out of its own": () => new DOMException("The operation was aborted due to timeout", "TimeoutError"),
    aborted: () => new DOMException("This operation was aborted", "AbortError"),
  }),
  ...rows("undici", "failed", {
    "connect timed out": () => new ConnectTimeoutError("ConnectTimeoutError", "UND_ERR_CONNECT_TIMEOUT"),
    "ResponseError 404": () => new UndiciResponseError("ResponseError", "UND_ERR_RESPONSE", { statusCode: 404 }),
  }),
  ...rows("undici", "in_doubt", {
    "ResponseError 500": () => new UndiciResponseError("ResponseError", "UND_ERR_RESPONSE", { statusCode: 500 }),
    SocketError: () => new SocketError("SocketError", "UND_ERR_SOCKET"),
  }),
  ...rows("axios", "failed", {
    ...each(REFUSING, String, (status) => axios(status)),
    ECONNREFUSED: () => axiosCaused(REFUSED()),
    "ECONNREFUSED without a cause": () => new AxiosError(REFUSED().message, { code: "ECONNREFUSED", config: {} }),
    ENOTFOUND: () => axiosCaused(system("getaddrinfo", "ENOTFOUND")),
  }),
  ...rows("axios", "in_doubt", {
    ...each(NOT_REFUSING, String, (status) => axios(status)),
    "socket hang up": () => axiosCaused(RESET()),
    "timeout of 9ms exceeded": () => new AxiosError("timeout of 9ms exceeded", { code: "ECONNABORTED", config: {} }),
    "a truncated 200": () =>
      axiosCaused(new SyntaxError("Unexpected end of JSON input"), { response: { status: 200, data: "{" } }),
    "404 after axios-retry": () => axios(404, { config: { "axios-retry": { retryCount: 1 } } }),
    "404 after retry-axios": () => axios(404, { config: { raxConfig: { currentRetryAttempt: 1 } } }),
    "404 with the fetch adapter": () => axios(404, { config: { adapter: "fetch" } }),
    "404 of a fetch": () => axios(404, { request: new Request("http://a/") }),
    "404 after a redirect": () => axios(404, { request: { _redirectable: { _redirectCount: 1 } } }),
    "ECONNREFUSED after a redirect": () =>
      axiosCaused(REFUSED(), { request: { _redirectable: { _redirectCount: 1 } } }),
    "ECONNREFUSED after axios-retry": () => axiosCaused(REFUSED(), { config: { "axios-retry": { retryCount: 2 } } }),
  }),
  ...rows("got", "failed", {
    ...each([400, 404, 422, 429], String, (status) => got(status)),
    ECONNREFUSED: () => gotCaused(REFUSED()),
    ...each(["lookup", "connect", "secureConnect"], (event) => `timed out in ${event}`, gotTimeout),
  }),
  ...rows("got", "in_doubt", {
    ...each([408, 409, 499, 500, 502], String, (status) => got(status)),
    ...each(["socket", "send", "response", "read", "request"], (event) => `timed out in ${event}`, gotTimeout),
    "404 of a retry": () => got(404, { retryCount: 1 }),
    "404 after a redirect": () => got(404, { redirectUrls: [new URL("http://a/")] }),
    "ECONNREFUSED of a retry": () => gotCaused(REFUSED(), 2),
    "socket hang up": () => gotCaused(RESET()),
    ReadError: () => new ReadError("aborted", { code: "ECONNRESET" }, { retryCount: 0 }),
  }),
  ...rows("AWS", "failed", {
    "400 on the first attempt": () => new SESv2ServiceException("MessageRejected", 400, 1),
    "429 on the first attempt": () => new SESv2ServiceException("TooManyRequestsException", 429, 1),
    "ECONNREFUSED on the first attempt": () =>
      Object.assign(REFUSED(), { $metadata: { attempts: 1, totalRetryDelay: 0 } }),
  }),
  ...rows("AWS", "in_doubt", {
    "400 on the second attempt": () => new SESv2ServiceException("MessageRejected", 400, 2),
    "500": () => new SESv2ServiceException("InternalFailure", 500, 1),
    "in progress under the same token": () => new ServiceException("TransactionInProgressException", 400, 1),
    "the token was used with other parameters": () => new ServiceException("IdempotentParameterMismatch", 400, 1),
    "the request timed out": () => new ServiceException("RequestTimeout", 400, 1),
    "ECONNREFUSED on the third attempt": () => Object.assign(REFUSED(), { $metadata: { attempts: 3 } }),
    "socket hang up": () => Object.assign(RESET(), { $metadata: { attempts: 1 } }),
    "TimeoutError of the handler": () => Object.assign(new Error("Connection timed out"), { name: "TimeoutError" }),
  }),
  ...rows("gRPC", "failed", {
    ...each([3, 5, 6, 7, 9, 11, 12, 16], String, (code) => grpc(code, "no")),
    "NOT_FOUND, no previous attempt": () => grpc(5, "no", "0"),
  }),
  ...rows("gRPC", "in_doubt", {
    ...each([1, 2, 4, 8, 10, 13, 14, 15], String, (code) => grpc(code, "no")),
    "UNAVAILABLE: not connected": () => grpc(14, "No connection established. Last error: connect ECONNREFUSED"),
    "UNIMPLEMENTED: an answer without a message": () => grpc(12, "No message received"),
    "NOT_FOUND of a second attempt": () => grpc(5, "no", "1"),
    "a code without gRPC's metadata": () => Object.assign(new Error("5 NOT_FOUND"), { code: 5, metadata: {} }),
  }),
  ...rows("Stripe", "failed", {
    "card declined": () => new StripeCardError({ statusCode: 402, code: "card_declined" }),
    "invalid request": () => new StripeInvalidRequestError({ statusCode: 400 }),
    "no such charge, under a key": () =>
      new StripeInvalidRequestError({ statusCode: 404, headers: { "idempotency-key": "k" } }),
    authentication: () => new StripeAuthenticationError({ statusCode: 401 }),
    permission: () => new StripePermissionError({ statusCode: 403 }),
    "never connected, not retried": () => stripeLost(0, REFUSED()),
  }),
  ...rows("Stripe", "in_doubt", {
    "rate limited: perhaps the repetition of one that was done": () => new StripeRateLimitError({ statusCode: 429 }),
    "404 of a DELETE, which has no key": () => new StripeInvalidRequestError({ statusCode: 404, headers: {} }),
    "API error 500": () => new StripeAPIError({ statusCode: 500 }),
    "conflict 409": () => new StripeAPIError({ statusCode: 409 }),
    idempotency: () => new StripeIdempotencyError({ statusCode: 400, rawType: "idempotency_error" }),
    "never connected, retried": () => stripeLost(2, REFUSED()),
    "socket hang up": () => stripeLost(0, RESET()),
  }),
  ...rows("pg", "failed", {
    ...each(
      ["23505", "22003", "42601", "40001", "40P01", "P0001", "25P02"],
      (code) => `ERROR ${code}`,
      (code) => new DatabaseError("ERROR", code),
    ),
    ...each(
      ["28P01", "3D000", "53300", "57P03"],
      (code) => `FATAL ${code}`,
      (code) => new DatabaseError("FATAL", code),
    ),
    "connect ECONNREFUSED": REFUSED,
  }),
  ...rows("pg", "in_doubt", {
    ...each(
      ["57014", "08006", "40003", "58030", "XX000"],
      (code) => `ERROR ${code}`,
      (code) => new DatabaseError("ERROR", code),
    ),
    ...each(
      ["57P01", "57P02", "08P01", "23505"],
      (code) => `FATAL ${code}`,
      (code) => new DatabaseError("FATAL", code),
    ),
    "the connection broke in COMMIT": () => new Error("Connection terminated unexpectedly"),
    "query read timeout": () => new Error("Query read timeout"),
    "a code without a severity": () => Object.assign(new Error("duplicate key"), { code: "23505" }),
  }),
  ...rows("nodemailer", "failed", {
    "all recipients refused": () => mail("EENVELOPE", "RCPT TO", { responseCode: 550, response: "550 no" }),
    "sender refused for now": () => mail("EENVELOPE", "MAIL FROM", { responseCode: 451 }),
    "no recipients": () => mail("EENVELOPE", "API"),
    login: () => mail("EAUTH", "AUTH PLAIN", { responseCode: 535 }),
    "the message refused after DATA": () => mail("EMESSAGE", "DATA", { responseCode: 554 }),
    "no such host": () => mail("EDNS", "CONN"),
    "connect refused": () =>
      Object.assign(REFUSED(), { code: "ESOCKET", command: "CONN", originalCode: "ECONNREFUSED" }),
    "connect timed out": () => mail("ETIMEDOUT", "CONN", { timeoutType: "CONNECT_TIMEOUT" }),
    "no TLS": () => mail("ETLS", "STARTTLS", { responseCode: 454 }),
  }),
  ...rows("nodemailer", "in_doubt", {
    "421 after DATA": () => mail("EMESSAGE", "DATA", { responseCode: 421 }),
    "closed, perhaps after DATA": () => mail("ECONNECTION", "CONN"),
    "timed out, perhaps after DATA": () => mail("ETIMEDOUT", "CONN", { timeoutType: "SOCKET_TIMEOUT" }),
    "reset, perhaps after DATA": () =>
      Object.assign(system("read", "ECONNRESET"), { code: "ESOCKET", command: "CONN", originalCode: "ECONNRESET" }),
    "a message that ended in the middle": () => mail("ESTREAM", "API"),
  }),
  ...rows("Twilio", "failed", { "400": () => new RestException(400, 21211) }),
  ...rows("Twilio", "in_doubt", { "500": () => new RestException(500, 20500) }),
  ...rows("SendGrid", "failed", { "400": () => new ResponseError(400) }),
  ...rows("SendGrid", "in_doubt", { "503": () => new ResponseError(503) }),
  ...rows("node-fetch", "failed", { ECONNREFUSED: () => new FetchError("ECONNREFUSED") }),
  ...rows("node-fetch", "in_doubt", { ECONNRESET: () => new FetchError("ECONNRESET") }),
  ...rows(
    "MCP",
    "in_doubt",
    each([-32602, -32601, -32600, -32001, -32000], String, (code) => new McpError(code)),
  ),
  ...rows("nobody's", "in_doubt", {
    "an error of the tool's own": () => new Error("Order is already refunded"),
    "a status without a client": () => Object.assign(new Error("no"), { status: 404 }),
    "a plain object": () => ({ statusCode: 500 }),
    "a plain object with a refusing status": () => ({ statusCode: 404, isAxiosError: true, response: { status: 404 } }),
    "another error around a refusal": () => new Error("payment failed", { cause: axios(404) }),
    "another error around a proof": () => new Error("payment failed", { cause: REFUSED() }),
    "a rejection of nothing": () => undefined,
  }),
  // Whose class a bundler renamed, or a wrapper took away: known by all the marks that it has.
  ...rows("marked", "failed", {
    "axios 404": () => marked("AxiosError", { isAxiosError: true, code: "ERR_BAD_REQUEST", response: { status: 404 } }),
    "got 404": () =>
      marked("HTTPError", { code: "ERR_NON_2XX_3XX_RESPONSE", options: {}, response: { statusCode: 404 } }),
    "got timed out in connect": () => marked("TimeoutError", { code: "ETIMEDOUT", event: "connect" }),
    "AWS 400": () =>
      marked("ValidationException", { $fault: "client", $metadata: { httpStatusCode: 400, attempts: 1 } }),
    "gRPC NOT_FOUND": () =>
      Object.assign(new Error("5 NOT_FOUND: no such charge"), { code: 5, details: "no such charge", metadata: {} }),
    "Stripe card declined": () =>
      marked("Error", { type: "StripeCardError", rawType: "card_error", statusCode: 402, code: "card_declined" }),
    "pg unique violation": () => marked("error", { code: "23505", severity: "ERROR", routine: "_bt_check_unique" }),
    "undici connect timed out": () => marked("ConnectTimeoutError", { code: "UND_ERR_CONNECT_TIMEOUT" }),
    "Twilio 400": () => marked("RestException", { status: 400, code: 21211, moreInfo: "" }),
  }),
  ...rows("marked", "in_doubt", {
    "axios 500": () =>
      marked("AxiosError", { isAxiosError: true, code: "ERR_BAD_RESPONSE", response: { status: 500 } }),
    "axios without a response": () => marked("AxiosError", { isAxiosError: true, code: "ECONNRESET" }),
    "got 503": () => marked("HTTPError", { code: "ERR_NON_2XX_3XX_RESPONSE", response: { statusCode: 503 } }),
    "got timed out in response": () => marked("TimeoutError", { code: "ETIMEDOUT", event: "response" }),
    "AWS 400 on the second attempt": () =>
      marked("ValidationException", { $fault: "client", $metadata: { httpStatusCode: 400, attempts: 2 } }),
    "gRPC UNAVAILABLE": () =>
      Object.assign(new Error("14 UNAVAILABLE: no connection"), { code: 14, details: "no connection", metadata: {} }),
    "Stripe API error": () => marked("Error", { type: "StripeAPIError", rawType: "api_error", statusCode: 500 }),
    "pg shut down": () => marked("error", { code: "57P01", severity: "FATAL" }),
    "undici body timed out": () => marked("BodyTimeoutError", { code: "UND_ERR_BODY_TIMEOUT" }),
  }),
  // What a server can write into its body, and a careless client into its error.
  ...rows("forged", "in_doubt", {
    "a body merged into an error": () =>
      Object.assign(new Error("failed"), JSON.parse('{"status":404,"statusCode":404,"response":{"status":404}}')),
    "a body with a prototype": () =>
      Object.assign(
        new Error("failed"),
        JSON.parse('{"__proto__":{"constructor":{"name":"AxiosError"}},"response":{"status":404}}'),
      ),
    "a body that calls itself NotDoneError": () =>
      Object.assign(new Error("failed"), JSON.parse('{"name":"NotDoneError","code":"NOT_DONE"}')),
    "a code from the body": () => new APIError({ status: 500, code: "ECONNREFUSED", syscall: "connect" }),
    "a code from the body in a plain error": () =>
      Object.assign(new Error("500"), { status: 500, code: "ECONNREFUSED", syscall: "connect" }),
    "a Stripe body": () => Object.assign(new Error("no"), JSON.parse('{"type":"StripeCardError","statusCode":402}')),
    "an AWS body": () =>
      Object.assign(new Error("no"), JSON.parse('{"$fault":"client","$metadata":{"httpStatusCode":400,"attempts":1}}')),
    "a gRPC body": () => Object.assign(new Error("no"), JSON.parse('{"code":5,"details":"","metadata":{"get":{}}}')),
    "a SQLSTATE from a body": () => Object.assign(new Error("no"), { code: "23505", severity: "ERROR" }),
    "an axios error whose body says 404": () =>
      axios(500, { data: { status: 404, statusCode: 404, code: "ECONNREFUSED" } }),
  }),
];
