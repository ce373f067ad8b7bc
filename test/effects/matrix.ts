// What the crash matrix and its worker share: the cells, and what kinds of provider there are.

import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Boundary } from "../contracts/boundaries.js";

/** What a provider offers to somebody who lost an outcome. */
export const KINDS = ["honours keys", "can be probed", "neither"] as const;
export type Kind = (typeof KINDS)[number];

/** One run: it is killed at `point`, and resumed. It has a thread of its own. */
export interface Cell {
  readonly kind: Kind;
  readonly point: Boundary;
}

/** What a worker is told. */
export interface Order {
  readonly url: string;
  /** Of the journal's seals. Unset: beside the database. */
  readonly keyFile?: string | undefined;
  /** Where the provider keeps its files. */
  readonly folder: string;
  /** The cells whose run begins. */
  readonly start?: readonly Cell[];
  /** The cells whose run goes on from where it was cut off. */
  readonly resume?: readonly Cell[];
  /** Each run stands still at the point of its cell, and the process is killed when all of them stand. */
  readonly crash?: boolean;
}

export const threadOf = ({ kind, point }: Cell): string => `${kind}, ${point}`;

/** A provider whose whole state is an append-only file: one line, the key, for each effect that happened. */
export class FileProvider {
  private readonly file: string;

  constructor(
    folder: string,
    name: string,
    readonly kind: Kind,
  ) {
    this.file = join(folder, `${name}.log`);
  }

  /** The keys of all effects, in the order in which they happened. */
  effects(): readonly string[] {
    return existsSync(this.file) ? readFileSync(this.file, "utf8").trimEnd().split("\n") : [];
  }

  send(key: string): void {
    if (this.kind === "honours keys" && this.effects().includes(key)) return;
    appendFileSync(this.file, `${key}\n`);
  }
}
