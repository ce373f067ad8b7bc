// The journal on SQLite or Postgres. This file opens the database and puts the parts together; what each part does to
// the tables is in the file named after it.

import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { resolve } from "node:path";
import { type Clock, systemClock } from "../../capacity/clock.js";
import type { Label, Seal } from "../../trust/index.js";
import type { Database, Work } from "../database/database.js";
import { databaseFailure } from "../database/failure.js";
import { type DatabaseTarget, parseDatabaseUrl } from "../database/target.js";
import { type LeaseHolder, ThreadBusyError } from "../errors.js";
import { defaultKeyFile, openSeal } from "../key-file.js";
import * as approvals from "./approvals.js";
import { fitsHead, sha256 } from "./chain.js";
import * as effects from "./effects.js";
import { eraseFamily } from "./erase.js";
import { EventLog } from "./event-log.js";
import type { HarnessEvent, RecordedEvent, Scope, TextDigest } from "./events.js";
import { type KeptHeads, keptHeads } from "./kept-heads.js";
import { findLabels, recordLabels } from "./labels.js";
import { LEASE_MS, systemTicker, type Ticker, takeAndKeep } from "./leases.js";
import * as manifests from "./manifests.js";
import { openDatabase } from "./opening.js";
import * as recordings from "./recording.js";
import { type Redaction, redactionOf, type Secrets } from "./redaction.js";
import { findTexts } from "./texts.js";
import * as threads from "./threads.js";
import type {
  ApprovalRequest,
  ApprovalStatus,
  Approver,
  EffectIntent,
  EffectOutcome,
  Journal,
  KeptText,
  Lease,
} from "./types.js";

/** What can be put in place of the machine. */
export interface JournalOptions {
  /** Default: the machine's clock. */
  readonly clock?: Clock;
  /** Unique parts of ids. Default: random UUIDs. */
  readonly ids?: () => string;
  /** What a relative SQLite path is relative to. Default: the process's working directory. */
  readonly cwd?: string;
  /** The heartbeat of leases. Default: a timer that does not keep the process alive. */
  readonly every?: Ticker;
  /**
   * The file with the key of the seals, 64 hexadecimal digits; made at first use. Default: the database's file with
   * `.key` appended, `.bulkhead/journal.key` for Postgres, none for `memory:`. Relative to `cwd`.
   */
  readonly keyFile?: string | undefined;
  /** What is replaced by tags before it is recorded. Default: nothing. */
  readonly secrets?: Secrets | undefined;
}

class DatabaseJournal implements Journal {
  readonly clock: Clock;
  readonly seal: Seal;
  private readonly ids: () => string;
  private readonly every: Ticker;
  private readonly log: EventLog;
  private readonly outside: KeptHeads;
  private readonly secrets: Secrets;
  private redaction: Redaction | undefined;
  private readonly leases = new Set<Lease>();
  private opening: Promise<Database> | undefined;
  private closing: Promise<void> | undefined;
  private closed = false;

  constructor(
    readonly url: string,
    private readonly target: DatabaseTarget,
    options: JournalOptions,
  ) {
    this.clock = options.clock ?? systemClock;
    this.ids = options.ids ?? randomUUID;
    this.every = options.every ?? systemTicker;
    const cwd = options.cwd ?? process.cwd();
    const keyFile = options.keyFile === undefined ? defaultKeyFile(target, cwd) : resolve(cwd, options.keyFile);
    this.seal = openSeal(keyFile);
    this.secrets = options.secrets ?? {};
    this.outside = keptHeads(target.kind === "memory" ? undefined : keyFile, target.name, this.seal);
    this.log = new EventLog(this.database, () => this.clock.now(), this.seal, this.outside);
  }

  id(prefix: string): string {
    return `${prefix}-${this.ids()}`;
  }

  keep(text: string): KeptText {
    const kept = Buffer.from(this.redact().text(text)).toString(); // Half a surrogate pair has no UTF-8; it becomes U+FFFD here.
    return { digest: sha256(kept), text: kept, bytes: Buffer.byteLength(kept) };
  }

  append(scope: Scope, event: HarnessEvent, texts: readonly KeptText[] = []): Promise<RecordedEvent> {
    return this.log.append(scope, this.redact().value(event), texts);
  }

  texts(thread: string, digests?: readonly TextDigest[]) {
    return this.read(findTexts(thread, this.seal, digests && [...new Set(digests)]));
  }

  async erase(thread: string, by: string, reason: string) {
    const claim = this.target.kind === "postgres";
    const told = { ...this.redact().value({ by, reason }), run: this.id("erase"), claim };
    const erased = await this.log.erase(eraseFamily(thread, told, this.seal, this.clock.now()));
    return erased.reduce((sum, { event }) => sum + (event.kind === "thread.erased" ? event.events : 0), 0);
  }

  /** Made at first use: the tags need the key, and the key file is not made for a look at a journal. */
  private redact(): Redaction {
    this.redaction ??= redactionOf(this.secrets, this.seal);
    return this.redaction;
  }

  events(query: { readonly thread: string; readonly run?: string }) {
    return this.log.events(query);
  }

  subscribe(listener: (event: RecordedEvent) => void): () => void {
    return this.log.subscribe(listener);
  }

  async recording(thread: string) {
    const stored = await this.write(recordings.findRecording(thread, this.target.kind === "postgres", this.seal));
    return { ...stored, ...(await this.outside.of(thread)) };
  }

  async adopt(recording: recordings.StoredRecording) {
    const isNew = await this.write(recordings.adoptRecording(recording, this.seal));
    const sound = recording.heads.filter((head) => fitsHead(head, head.seal, this.seal));
    if (isNew) await this.outside.keep(sound, this.clock.now());
    return isNew;
  }

  beginThread(thread: string, graph: string, label: Label, root = thread) {
    return this.write(threads.beginThread({ thread, graph, label, from: root }, this.seal, this.clock.now()));
  }

  thread(thread: string) {
    return this.read(threads.findThread(thread, this.seal));
  }

  threads() {
    return this.read(threads.listThreads(this.seal));
  }

  updateThread(thread: string, change: threads.ThreadChange) {
    return this.write(threads.updateThread(thread, this.redact().value(change), this.seal, this.clock.now()));
  }

  lowerFloor(thread: string, label: Label) {
    return this.write(threads.lowerFloor(thread, label, this.seal, this.clock.now()));
  }

  recordLabels(thread: string, values: readonly { readonly digest: string; readonly label: Label }[]) {
    return this.write(recordLabels(thread, values, this.seal));
  }

  labels(thread: string, digests: readonly string[]) {
    return this.read(findLabels(thread, digests, this.seal));
  }

  recordDocument(kind: "policy" | "tool", digest: string, document: unknown) {
    return this.write(manifests.recordDocument(kind, digest, document));
  }

  document(digest: string) {
    return this.read(manifests.findDocument(digest));
  }

  pinTool(root: string, tool: string, digest: string) {
    return this.write(manifests.pinTool(root, tool, digest));
  }

  requestApproval(
    request: ApprovalRequest,
    openLimit = Number.POSITIVE_INFINITY,
    questionLimit = Number.POSITIVE_INFINITY,
  ) {
    const limits = { openLimit, questionLimit };
    return this.writeDurably(approvals.requestApproval(request, limits, this.seal, this.clock.now()));
  }

  approval(id: string) {
    return this.read(approvals.findApproval(id, this.seal, this.clock.now()));
  }

  approvals(query: { readonly thread?: string; readonly root?: string; readonly status?: ApprovalStatus } = {}) {
    return this.read(approvals.listApprovals(query, this.seal, this.clock.now()));
  }

  decideApproval(id: string, status: "approved" | "rejected", approver: Approver, reason?: string) {
    const { by, authenticated } = approver;
    const decision = { status, by, authenticated, reason };
    return this.writeDurably(approvals.decideApproval(id, decision, this.seal, this.clock.now()));
  }

  editApproval(id: string, edited: Readonly<Record<string, unknown>>, { by, authenticated }: Approver) {
    const decision = { status: "cancelled", by, authenticated, edited } as const;
    return this.writeDurably(approvals.decideApproval(id, decision, this.seal, this.clock.now()));
  }

  cancelApproval(id: string, reason: string) {
    return this.writeDurably(approvals.cancelApproval(id, reason, this.seal, this.clock.now()));
  }

  intendEffect(intent: EffectIntent) {
    return this.writeDurably(effects.intendEffect(intent, this.seal, this.clock.now()));
  }

  dispatchEffect(key: string) {
    return this.writeDurably(effects.dispatchEffect(key, this.seal, this.clock.now()));
  }

  resendEffect(key: string) {
    return this.writeDurably(effects.resendEffect(key, this.seal, this.clock.now()));
  }

  settleEffect(key: string, outcome: EffectOutcome, attempts = 1) {
    return this.writeDurably(effects.settleEffect(key, outcome, attempts, this.seal, this.clock.now()));
  }

  resolveEffect(key: string, status: "committed" | "failed", by: string, note: string) {
    return this.writeDurably(effects.resolveEffect(key, status, { by, note, at: this.clock.now() }, this.seal));
  }

  effect(key: string) {
    return this.read(effects.findEffect(key, this.seal));
  }

  effects(query: { readonly thread?: string; readonly root?: string } = {}) {
    return this.read(effects.listEffects(query, this.seal));
  }

  async lease(thread: string, owner: string): Promise<Lease> {
    const lease = await this.take(thread, owner);
    if ("release" in lease) return lease;
    throw new ThreadBusyError(thread, lease);
  }

  async leaseEffect(key: string, owner: string): Promise<Lease | undefined> {
    const lease = await this.take(`effect ${key}`, owner);
    return "release" in lease ? lease : undefined;
  }

  /** Takes what `subject` names, or returns who has it. */
  private async take(subject: string, owner: string): Promise<Lease | LeaseHolder> {
    const since = this.clock.now();
    const claim = { token: this.ids(), owner, pid: process.pid, host: hostname(), since, until: since + LEASE_MS };
    const ports = { database: this.database, now: () => this.clock.now(), every: this.every };
    const taken = await takeAndKeep(subject, claim, ports);
    if (!("release" in taken)) return taken;
    const lease: Lease = {
      lost: taken.lost,
      release: async () => {
        if (this.leases.delete(lease)) await taken.release();
      },
    };
    this.leases.add(lease);
    return lease;
  }

  /** Waits for what is being appended, gives back the leases, and closes. May be called twice. */
  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private async shutDown(): Promise<void> {
    await this.log.settled();
    try {
      for (const lease of [...this.leases]) await lease.release();
    } finally {
      this.closed = true;
      await (await this.opening)?.close();
    }
  }

  /** Opens at first use. A failed attempt is forgotten, so that the next call tries again. */
  private readonly database = async (): Promise<Database> => {
    if (this.closed) throw databaseFailure(this.target, "JOURNAL_UNAVAILABLE", "this journal was closed by its owner");
    this.opening ??= openDatabase(this.target).catch((error: unknown) => {
      this.opening = undefined;
      throw error;
    });
    return this.opening;
  };

  private async read<Result>(work: Work<Result>): Promise<Result> {
    return (await this.database()).read(work);
  }

  private async write<Result>(work: Work<Result>): Promise<Result> {
    return (await this.database()).transaction(work);
  }

  private async writeDurably<Result>(work: Work<Result>): Promise<Result> {
    return (await this.database()).transaction(work, { durable: true });
  }
}

/**
 * The journal at `url`: `sqlite:PATH`, `postgres://…` (with `?schema=name` for a schema of its own) or `memory:`. Opens
 * a connection of its own at first use. Approvals, intents and effects survive a power cut once written (SQLite with
 * `synchronous=FULL`; Postgres as the server is configured); the rest survives the crash of the process.
 *
 * @throws JournalError `JOURNAL_UNAVAILABLE` when the URL is none of these.
 */
export function openJournal(url: string, options: JournalOptions = {}): Journal {
  return new DatabaseJournal(url, parseDatabaseUrl(url, options.cwd ?? process.cwd()), options);
}
