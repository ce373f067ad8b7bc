// What an error tells of itself, whoever made it: the classes that threw it, and whether its connection was never made.

import { types } from "node:util";

/** A thrown error, read as what it is: anything. */
export type Thrown = Readonly<Record<string, unknown>>;

/** The names of the classes that made it, from the innermost. Own properties do not count: a body may be copied there. */
export function makersOf(value: unknown): string[] {
  const makers: string[] = [];
  for (let each = prototypeOf(value); each !== null && makers.length < 8; each = prototypeOf(each)) {
    const maker: unknown = Reflect.get(each, "constructor");
    if (typeof maker === "function") makers.push(maker.name);
  }
  return makers;
}

const prototypeOf = (value: unknown): object | null =>
  typeof value === "object" && value !== null ? (Object.getPrototypeOf(value) as object | null) : null;

/** Whether a class of this name made it, or one that it extends. */
export const madeBy = (value: unknown, maker: string): boolean => makersOf(value).includes(maker);

/** By its class, or by the name that the class gives to its errors. */
export const isNamed = (error: Thrown, name: string): boolean => madeBy(error, name) || error["name"] === name;

/** An error of no class of its own, as Node and some libraries throw them. */
export const isPlain = (error: unknown): boolean => types.isNativeError(error) && makersOf(error)[0] === "Error";

/** What stands at a path; `undefined` where it leads nowhere. */
export const at = (value: unknown, ...path: readonly string[]): unknown =>
  path.reduce<unknown>((found, key) => (found as Thrown | null | undefined)?.[key], value);

/** Whether a count is stated and above `least`. What is no number is above everything. */
export const isMoreThan = (least: number, value: unknown): boolean => value !== undefined && !(Number(value) <= least);

/** System calls that come before anything is sent, by code. An established connection can break with some of these too. */
const CONNECTING: ReadonlyMap<unknown, string> = new Map([
  ...["ECONNREFUSED", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH", "EADDRNOTAVAIL", "ENOENT"].map(
    (code) => [code, "connect"] as const,
  ),
  ["ENOTFOUND", "getaddrinfo"],
  ["EAI_AGAIN", "getaddrinfo"],
]);

/** These mean nothing else, whoever passes them on. */
const ONLY_CONNECTING: ReadonlySet<unknown> = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN"]);

/** A TLS handshake that failed: the certificate, or no common version or cipher. Not codes that a broken stream has too. */
const HANDSHAKE: ReadonlySet<unknown> = new Set([
  ...["CERT_HAS_EXPIRED", "CERT_NOT_YET_VALID", "CERT_REVOKED", "CERT_UNTRUSTED", "CERT_REJECTED"],
  ...["DEPTH_ZERO_SELF_SIGNED_CERT", "SELF_SIGNED_CERT_IN_CHAIN", "UNABLE_TO_GET_ISSUER_CERT"],
  ...["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "UNABLE_TO_VERIFY_LEAF_SIGNATURE", "CERT_SIGNATURE_FAILURE"],
  ...["INVALID_CA", "INVALID_PURPOSE", "HOSTNAME_MISMATCH", "ERR_TLS_CERT_ALTNAME_INVALID"],
  ...["ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE", "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION", "ERR_SSL_UNSUPPORTED_PROTOCOL"],
]);

const DISCONNECTED = "Client network socket disconnected before secure TLS connection was established";

/** What an error has that carries an answer: then it is not about a connection. */
const ANSWERED = ["status", "statusCode", "response", "body"];

/** Whether nothing was sent, since the connection was never made. */
export function neverConnected(error: unknown): boolean {
  const { code, syscall, message } = error as Thrown;
  if (code === "UND_ERR_CONNECT_TIMEOUT") return types.isNativeError(error);
  // Node's own, for the addresses of one host: all of them have to have failed.
  if (madeBy(error, "AggregateError")) {
    const errors = (error as { errors?: unknown }).errors;
    return CONNECTING.has(code) && Array.isArray(errors) && errors.length > 0 && errors.every(neverConnected);
  }
  if (!isPlain(error) || ANSWERED.some((key) => Object.hasOwn(error as object, key))) return false;
  if (isMoreThan(1, at(error, "$metadata", "attempts"))) return false; // AWS: an earlier attempt may have been made.
  if (HANDSHAKE.has(code) || (code === "ECONNRESET" && message === DISCONNECTED)) return true;
  const call = CONNECTING.get(code);
  return call !== undefined && (syscall === call || (syscall === undefined && saysConnecting(error as Thrown)));
}

/** Clients that keep only code and message of what Node threw. */
export const saysConnecting = ({ code, message }: Thrown): boolean =>
  ONLY_CONNECTING.has(code) && typeof message === "string" && message.includes(String(code));
