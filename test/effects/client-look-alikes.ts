// Errors as clients throw them, with the properties that the library itself sets. Read in the code of axios 1.21.1, got
// 14.6.6, @aws-sdk/client-s3 3.1175 (@smithy/core), @grpc/grpc-js 1.14.7, stripe 23.1, nodemailer 10.6.1, undici 7.30,
// twilio 6.3.1 and @sendgrid/helpers 8; none of them is installed here. The classes have the libraries' names.

/** What Node throws for a system call. */
export const system = (syscall: string, code: string, extra: object = {}): Error =>
  Object.assign(new Error(`${syscall} ${code} 127.0.0.1:1`), { errno: -111, code, syscall, ...extra });

export const REFUSED = () => system("connect", "ECONNREFUSED", { address: "127.0.0.1", port: 1 });
export const RESET = () => Object.assign(new Error("socket hang up"), { code: "ECONNRESET" });

export class AxiosError extends Error {
  readonly isAxiosError = true;
  constructor(message: string, properties: object, cause?: unknown) {
    super(message);
    this.name = "AxiosError";
    Object.assign(this, properties);
    if (cause !== undefined) Object.defineProperty(this, "cause", { value: cause, enumerable: false });
  }
}

export const axios = (status: number, extra: { config?: object; request?: object; data?: unknown } = {}) => {
  const { config = {}, request = {}, data = {} } = extra;
  const response = { status, data, headers: {}, config, request };
  const properties = { code: status < 500 ? "ERR_BAD_REQUEST" : "ERR_BAD_RESPONSE", config, request, response, status };
  return new AxiosError(`Request failed with status code ${status}`, properties);
};
export const axiosCaused = (cause: Error & { code?: string }, extra: object = {}) =>
  new AxiosError(cause.message, { code: cause.code, config: {}, request: {}, ...extra }, cause);

class RequestError extends Error {
  readonly options = {};
  constructor(message: string, properties: object, request: object, cause: unknown = {}) {
    super(message, { cause });
    Object.assign(this, properties);
    const { response } = request as { response?: object };
    Object.defineProperty(this, "request", { value: request, enumerable: false });
    Object.defineProperty(this, "response", { value: response, enumerable: false });
  }
}
class HTTPError extends RequestError {}
class TimeoutError extends RequestError {}
export class ReadError extends RequestError {}

export const got = (statusCode: number, more: { retryCount?: number; redirectUrls?: readonly URL[] } = {}) => {
  const { retryCount = 0, redirectUrls = [] } = more;
  const response = { statusCode, body: "", retryCount, redirectUrls };
  const request = { retryCount, redirectUrls, response };
  return new HTTPError(`Request failed with status code ${statusCode}`, { code: "ERR_NON_2XX_3XX_RESPONSE" }, request);
};
export const gotCaused = (cause: Error & { code?: string }, retryCount = 0) =>
  new RequestError(cause.message, { code: cause.code }, { retryCount, redirectUrls: [] }, cause);
export const gotTimeout = (event: string) =>
  new TimeoutError(`Timeout awaiting '${event}' for 9ms`, { code: "ETIMEDOUT", event }, { retryCount: 0 });

export class ServiceException extends Error {
  constructor(name: string, httpStatusCode: number | undefined, attempts: number) {
    super(name);
    this.name = name;
    Object.assign(this, {
      $fault: httpStatusCode !== undefined && httpStatusCode < 500 ? "client" : "server",
      $metadata: { httpStatusCode, requestId: "r", attempts, totalRetryDelay: 0 },
    });
  }
}
export class SESv2ServiceException extends ServiceException {}

class Metadata {
  constructor(private readonly internal = new Map<string, string[]>()) {}
  get(key: string): string[] {
    return this.internal.get(key) ?? [];
  }
}
export const grpc = (code: number, details: string, previous?: string) =>
  Object.assign(new Error(`${code}: ${details}`), {
    ...{ code, details },
    metadata: new Metadata(new Map(previous === undefined ? [] : [["grpc-previous-rpc-attempts", [previous]]])),
  });

class StripeError extends Error {
  constructor(raw: object = {}) {
    super((raw as { message?: string }).message ?? "");
    Object.assign(this, { type: this.constructor.name, raw, ...raw });
  }
}
export class StripeCardError extends StripeError {}
export class StripeInvalidRequestError extends StripeError {}
export class StripeAuthenticationError extends StripeError {}
export class StripePermissionError extends StripeError {}
export class StripeRateLimitError extends StripeError {}
export class StripeAPIError extends StripeError {}
export class StripeIdempotencyError extends StripeError {}
class StripeConnectionError extends StripeError {}
export const stripeLost = (retries: number, detail: unknown) =>
  new StripeConnectionError({
    message: `An error occurred with our connection to Stripe.${retries > 0 ? ` Request was retried ${retries} times.` : ""}`,
    detail,
  });

export class DatabaseError extends Error {
  readonly length = 100;
  constructor(severity: string, code: string) {
    super(code);
    this.name = "error";
    Object.assign(this, { severity, code, detail: undefined, routine: "x" });
  }
}

export const mail = (code: string, command: string, more: object = {}) =>
  Object.assign(new Error(code), { code, command, ...more });

class UndiciError extends Error {
  constructor(name: string, code: string, more: object = {}) {
    super(name);
    this.name = name;
    Object.assign(this, { code, ...more });
  }
}
export class ConnectTimeoutError extends UndiciError {}
export class SocketError extends UndiciError {}
export class HeadersTimeoutError extends UndiciError {}
export class BodyTimeoutError extends UndiciError {}
export class UndiciResponseError extends UndiciError {
  static {
    Object.defineProperty(UndiciResponseError, "name", { value: "ResponseError" });
  }
}
export class RestException extends Error {
  constructor(
    readonly status: number,
    readonly code: number,
  ) {
    super(`[HTTP ${status}]`);
  }
}
export class ResponseError extends Error {
  readonly response = { headers: {}, body: {} };
  constructor(readonly code: number) {
    super("Bad Request");
  }
}
export class FetchError extends Error {
  readonly type = "system";
  constructor(readonly code: string) {
    super(`request to http://a/ failed, reason: connect ${code} 127.0.0.1:1`);
  }
}
export class McpError extends Error {
  constructor(readonly code: number) {
    super(`MCP error ${code}`);
  }
}
export class APIError extends Error {
  constructor(properties: object) {
    super("api error");
    Object.assign(this, properties);
  }
}
