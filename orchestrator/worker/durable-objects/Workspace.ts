import {
  type ApplyResult,
  type CustodyRecord,
  fail,
  type LogEntry,
  type PatchEvent,
  type ReplayFile,
  type ReplayTree,
  type Result,
  type TasksFile,
  type WorkspaceInfo,
  type WorkspaceSource,
} from "@shared/contracts";
import { DurableObject } from "cloudflare:workers";
import { loggerOf } from "../context.ts";
import { DEFAULT_DEADLINES, engineOf } from "../integrations/engine.ts";
import { Chain, type ChainHead, type Draft } from "./workspace/Chain.ts";
import { sinkOf } from "./workspace/deliveries.ts";
import { Drive } from "./workspace/Drive.ts";
import { EngineLog } from "./workspace/EngineLog.ts";
import { type Intent, Intents } from "./workspace/Intents.ts";
import { Meta } from "./workspace/Meta.ts";
import { open } from "./workspace/open.ts";
import { recordReported, type Reported } from "./workspace/report.ts";
import { fileAt, INDEX_TURN, type ReplayParts, treeAt } from "./workspace/replay.ts";
import { ReplayIndex } from "./workspace/ReplayIndex.ts";
import { OPS_SINK, Sinks } from "./workspace/Sinks.ts";
import { catchUp, restore, type RestoreParts } from "./workspace/restore.ts";
import type { Moved, WorkspaceRpc } from "./workspace/rpc.ts";
import { createTables } from "./workspace/storage.ts";
import { Texts } from "./workspace/Texts.ts";
import { recordVerdict, type Verdict } from "./workspace/verdict.ts";

/** How soon the alarm looks after work that a live call holds: what it finds then was left by a crash. */
const GUARD_MS = 5_000;
/** How often delivery to the databases waits for another batch, while there are some in the queue. */
const MAX_GATHERS = 8;

/**
 * Governs one workspace: takes its batches to the engine one at a time, keeps its custody chain, and delivers the
 * chain to D1 and the hub. Everything it has promised stands in storage before it answers; what a crash leaves undone,
 * the alarm takes up. Read `workspace/Drive.ts` for the queue, `workspace/Sinks.ts` for delivery.
 */
export class Workspace extends DurableObject<Env> implements WorkspaceRpc {
  /** Tests shorten these. All but `queue`, which counts batches, are milliseconds. */
  readonly limits = { queue: 256, delivery: 30_000, gather: 50, deadlines: { ...DEFAULT_DEADLINES } };
  now = (): Date => new Date();

  readonly #logger = loggerOf(this.env).child({ part: "workspace" });
  readonly #sql = this.ctx.storage.sql;
  readonly #meta = new Meta(this.#sql);
  readonly #texts = new Texts(this.#sql);
  readonly #intents = new Intents(this.#sql, this.#texts);
  readonly #chain: Chain;
  readonly #log: EngineLog;
  readonly #sinks: Sinks;
  readonly #replay: ReplayIndex;
  readonly #drive: Drive;
  /** When the stored alarm fires, as far as this instance knows. */
  #armedFor: number | null = null;
  #gathering = false;
  #restoring: Promise<Result<{ workspace: WorkspaceInfo }>> | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    createTables(this.#sql);
    const now = () => this.now();
    const workspaceId = () => this.#meta.workspaceId;
    this.#chain = new Chain(this.#sql, { workspaceId, onAppend: (records) => this.#sinks.aim(records) });
    this.#log = new EngineLog(this.#sql, {
      texts: this.#texts,
      meta: this.#meta,
      chain: this.#chain,
      intents: this.#intents,
    });
    this.#replay = new ReplayIndex(this.#sql, {
      meta: this.#meta,
      log: this.#log,
      chain: this.#chain,
      texts: this.#texts,
    });
    this.#sinks = new Sinks({
      sql: this.#sql,
      sinkOf: (name) => sinkOf(name, { env, chain: this.#chain, workspaceId, now }),
      now,
      logger: this.#logger,
      deadline: () => this.limits.delivery,
    });
    this.#drive = new Drive({
      meta: this.#meta,
      chain: this.#chain,
      intents: this.#intents,
      log: this.#log,
      engine: () => this.#engine(),
      restore: () => this.#restore(),
      commit: (work) => this.#commit(work),
      now,
      logger: this.#logger,
      queueLimit: () => this.limits.queue,
    });
  }

  async open(workspaceId: string, source: WorkspaceSource): Promise<Result<{ workspace: WorkspaceInfo }> | Moved> {
    const { alias } = this.#meta;
    if (alias !== null) return { movedTo: alias };
    this.#name(workspaceId);
    const answer = await open(this.#restoreParts(), source);
    this.#deliver();
    return answer;
  }

  async restore(workspaceId: string): Promise<Result<{ workspace: WorkspaceInfo }> | Moved> {
    const { alias } = this.#meta;
    if (alias !== null) return { movedTo: alias };
    this.#name(workspaceId);
    const restored = await this.#restore();
    this.#deliver();
    return restored;
  }

  async submit(workspaceId: string, intent: Intent): Promise<ApplyResult | Moved> {
    const { alias } = this.#meta;
    if (alias !== null) return { movedTo: alias };
    this.#name(workspaceId);
    // The first batch asks whether there is such a workspace, before anything is written down about it.
    if (this.#meta.origin === null && this.#intents.find(intent.batchId) === null) {
      const known = await this.#restore();
      if (!known.ok) return known;
    }
    const answer = await this.#drive.submit(intent);
    this.#deliver();
    return answer;
  }

  async publish(workspaceId: string, draft: Draft): Promise<{ seq: number } | Moved> {
    const { alias } = this.#meta;
    if (alias !== null) return { movedTo: alias };
    this.#name(workspaceId);
    const [record] = this.#commit(() => this.#chain.append([draft]));
    this.#deliver();
    return { seq: record?.seq ?? this.#chain.head().seq };
  }

  async record(workspaceId: string, reported: Reported): Promise<Result<{ recorded: number; known: number }> | Moved> {
    const { alias } = this.#meta;
    if (alias !== null) return { movedTo: alias };
    this.#name(workspaceId);
    const vouched = await this.#vouch(reported);
    if (!vouched.ok) return vouched;
    const parts = { sql: this.#sql, log: this.#log, chain: this.#chain, meta: this.#meta, now: this.now };
    const answer = this.#commit(() => recordReported(parts, reported));
    this.#deliver();
    return answer;
  }

  async recordVerdict(workspaceId: string, verdict: Verdict): Promise<Result<{ results: PatchEvent[] }>> {
    this.#name(workspaceId);
    const answer = this.#commit(() =>
      recordVerdict({ chain: this.#chain, meta: this.#meta, intents: this.#intents, now: this.now }, verdict),
    );
    this.#deliver();
    return answer;
  }

  async writeTasks(workspaceId: string, tasks: TasksFile): Promise<Result<object> | Moved> {
    const { alias } = this.#meta;
    if (alias !== null) return { movedTo: alias };
    this.#name(workspaceId);
    this.#texts.write("tasks", JSON.stringify(tasks));
    const written = await this.#engine().writeTasks(workspaceId, tasks);
    if (written.ok || written.error.code !== "WORKSPACE_NOT_FOUND") return written;
    const restored = await this.#restore();
    return restored.ok ? this.#engine().writeTasks(workspaceId, tasks) : restored;
  }

  async setAlias(workspaceId: string): Promise<Result<object>> {
    const { alias } = this.#meta;
    if (alias === workspaceId) return { ok: true };
    if (alias !== null || this.#meta.origin !== null || this.#chain.head().seq > 0) {
      return fail("CONFLICT", "the order already works in another workspace");
    }
    this.#meta.alias = workspaceId;
    return { ok: true };
  }

  async alias(): Promise<string | null> {
    return this.#meta.alias;
  }

  async events(after: number, limit: number): Promise<{ records: CustodyRecord[]; head: ChainHead }> {
    return { records: this.#chain.after(after, Math.min(limit, 1000)), head: this.#chain.head() };
  }

  async eventsOfOrder(orderId: string, after: number, limit: number) {
    return { records: this.#chain.ofOrderAfter(orderId, after, Math.min(limit, 1000)), head: this.#chain.head() };
  }

  async eventsOfPatch(patchId: string): Promise<CustodyRecord[]> {
    return this.#chain.ofPatch(patchId);
  }

  async entry(seq: number): Promise<LogEntry | null> {
    return this.#log.read(seq);
  }

  async indexReplay(): Promise<boolean> {
    return this.#replay.follow(INDEX_TURN);
  }

  async replayBatches(orderId: string, after: number, limit: number) {
    this.#replay.follow(INDEX_TURN);
    return { batches: this.#replay.batches(orderId, after, Math.min(limit, 1000)), head: this.#meta.head.seq };
  }

  async replayTree(seq: number, after: string | null): Promise<Result<ReplayTree>> {
    return treeAt(this.#replayParts(), { seq, after });
  }

  async replayFile(seq: number, path: string): Promise<Result<ReplayFile>> {
    return fileAt(this.#replayParts(), { seq, path });
  }

  async verify(): Promise<Result<{ head: ChainHead; entries: number; delivered: number }>> {
    const chain = this.#chain.verify();
    if (!chain.ok) return chain;
    const log = this.#log.verify();
    if (!log.ok) return log;
    return { ok: true, head: chain.head, entries: log.head.seq, delivered: this.#sinks.seqOf(OPS_SINK) };
  }

  async redeliver(): Promise<{ seq: number }> {
    this.#sinks.rewind(OPS_SINK, 0);
    await this.#sinks.pump("all");
    this.#arm();
    return { seq: this.#sinks.seqOf(OPS_SINK) };
  }

  /** Takes up what no live call holds. Never throws: a handler that throws is dropped after a few tries. */
  override async alarm(): Promise<void> {
    this.#armedFor = null;
    // First, so that there is a next time even if this instance dies in the middle.
    this.#arm();
    try {
      await Promise.all([this.#intents.queued() === 0 ? null : this.#drive.run(), this.#sinks.pump("all")]);
      // What the queue has just written down.
      await this.#sinks.pump("due");
    } catch (error) {
      this.#logger.error("an alarm broke off; the next one goes on", { error });
    }
    this.#arm();
  }

  /** Storage work as one transaction, with the alarm set in the same turn: neither is there without the other. */
  #commit<T>(work: () => T): T {
    let result: T;
    try {
      result = this.ctx.storage.transactionSync(work);
    } catch (error) {
      for (const part of [this.#meta, this.#chain, this.#log]) part.forget();
      throw error;
    }
    this.#arm();
    return result;
  }

  /**
   * Starts delivery without holding up the caller: sockets at once, databases a moment later, so that batches which
   * follow one another share a write. If this instance dies in that moment, the alarm delivers.
   */
  #deliver(): void {
    this.ctx.waitUntil(this.#sinks.pump("live").finally(() => this.#arm()));
    if (this.#gathering) return;
    this.#gathering = true;
    this.ctx.waitUntil(this.#deliverGathered());
  }

  async #deliverGathered(): Promise<void> {
    // While batches wait in the queue the next one is near: it can share the write, up to a limit.
    for (let waits = 0; waits < MAX_GATHERS && (waits === 0 || this.#drive.busy); waits += 1) {
      await scheduler.wait(this.limits.gather);
    }
    this.#gathering = false;
    await this.#sinks.pump("due");
    this.#arm();
  }

  /** Sets the alarm for the earliest undone work, unless it fires by then. */
  #arm(): void {
    const now = this.now().getTime();
    // Work that has not failed yet is in the hands of a live call; the alarm is for the case that the call dies.
    const dueAt = (retryAt: number): number => (retryAt === 0 ? now + GUARD_MS : Math.max(retryAt, now));
    const due: number[] = [];
    if (this.#intents.queued() > 0) due.push(dueAt(this.#drive.busy ? 0 : this.#meta.drive.retryAt));
    const sinkDue = this.#sinks.nextDue();
    if (sinkDue !== null) due.push(dueAt(sinkDue));
    if (due.length === 0) return;
    const earliest = Math.min(...due);
    if (this.#armedFor !== null && this.#armedFor > now && this.#armedFor <= earliest) return;
    this.#armedFor = earliest;
    this.ctx.waitUntil(this.ctx.storage.setAlarm(earliest));
  }

  #name(workspaceId: string): void {
    if (this.#meta.workspaceId === "") this.#meta.workspaceId = workspaceId;
  }

  /**
   * Anyone can make entries that chain. Where an engine of ours holds the workspace, what it says of its log counts, and
   * a report is only the hint to read it; entries are taken as reported where no engine of ours knows the workspace.
   */
  async #vouch({ entries }: Reported): Promise<Result<object>> {
    if (entries.every((entry) => this.#log.hashAt(entry.seq) === entry.hash)) return { ok: true };
    const level = await this.#restore();
    if (!level.ok) return level.error.code === "WORKSPACE_NOT_FOUND" ? { ok: true } : level;
    const read = await catchUp(this.#restoreParts());
    if (!read.ok) return read;
    const stranger = entries.find((entry) => this.#log.hashAt(entry.seq) !== entry.hash);
    return stranger ? fail("CHAIN_BROKEN", `the workspace's engine does not hold this entry ${stranger.seq}`) : read;
  }

  #engine() {
    return engineOf(this.env, this.limits.deadlines);
  }

  /** One at a time: those who ask in the meantime get the same answer. */
  #restore(): Promise<Result<{ workspace: WorkspaceInfo }>> {
    this.#restoring ??= restore(this.#restoreParts()).finally(() => {
      this.#restoring = null;
    });
    return this.#restoring;
  }

  #replayParts(): ReplayParts {
    return {
      meta: this.#meta,
      log: this.#log,
      index: this.#replay,
      engine: this.#engine(),
      restore: () => this.#restore(),
      catchUp: () => catchUp(this.#restoreParts()),
    };
  }

  #restoreParts(): RestoreParts {
    const commit = <T>(work: () => T): T => this.#commit(work);
    return { meta: this.#meta, log: this.#log, texts: this.#texts, engine: this.#engine(), commit };
  }
}
