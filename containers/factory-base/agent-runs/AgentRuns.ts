import { createHash } from "node:crypto";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import {
  fail,
  NO_USAGE,
  type AgentRunInfo,
  type AgentRunRequest,
  type AgentRunResult,
  type CliProvider,
  type Failed,
  type Result,
} from "@shared/contracts";
import type { Log } from "../log.ts";
import { ADAPTERS } from "./adapters/index.ts";
import { AgentRun } from "./AgentRun.ts";
import { EventLog } from "./EventLog.ts";
import { statOf } from "./procfs.ts";
import { findPatchctl, findProgram, isProgram, Versions } from "./program.ts";
import { endLeftovers, type Leader } from "./RunProcesses.ts";
import { readRecord, writeRecord, type RunRecord } from "./runRecord.ts";
import { placesOf, removeWork, type Snapshot } from "./worktree.ts";

/** How many runs that have ended are remembered: the oldest are forgotten, events and all. */
const MAX_REMEMBERED = 100;

export interface AgentRunsOptions {
  dataDir: string;
  /** Programs by provider, where they are not to be found by name in PATH. */
  programs: ReadonlyMap<CliProvider, string>;
  /** How many runs go on at once. */
  maxRuns: number;
  snapshot: (workspaceId: string) => ReturnType<Snapshot>;
  ended: (provider: CliProvider, result: AgentRunResult) => void;
  /** See `AgentTask`. */
  isContained: boolean;
  /** Of the host: never told by a run. */
  secrets: readonly string[];
  now: () => Date;
  clock: () => number;
  log: Log;
}

interface Active {
  run: AgentRun;
  prepared: Promise<Failed | null>;
  /** Settles when the run has ended and is remembered. */
  done: Promise<void>;
}

/**
 * The runs of CLI agents on this host. A run lives in a directory of its own, named by its workspace and id: the record
 * and events in it are all there is to remember of one that has ended, and tell the next start what one that had not
 * ended has left behind.
 */
export class AgentRuns {
  readonly #options: AgentRunsOptions;
  readonly #root: string;
  readonly #active = new Map<string, Active>();
  /** Those that have ended, by key, the first to be forgotten first. */
  readonly #ended = new Set<string>();
  readonly #versions = new Versions();
  readonly #patchctl = findPatchctl();
  readonly #self: Leader = { pid: process.pid, startTime: statOf(process.pid)?.startTime ?? "0" };
  #stopping = false;

  constructor(options: AgentRunsOptions) {
    this.#options = options;
    this.#root = resolve(options.dataDir, "agent-runs");
  }

  get running(): number {
    return this.#active.size;
  }

  /** Takes up what an earlier host left: its processes are ended, its worktrees removed, its runs told as lost. */
  async recover(): Promise<void> {
    await mkdir(this.#root, { recursive: true, mode: 0o700 });
    const found: { key: string; endedAt: string }[] = [];
    for (const key of await readdir(this.#root)) {
      const directory = join(this.#root, key);
      const record = await readRecord(directory);
      if (record === null) {
        await endLeftovers(this.#markOf(key), null);
        await removeWork(placesOf(directory));
        await rm(directory, { recursive: true, force: true });
      } else if (record.info.result !== null) {
        found.push({ key, endedAt: record.info.endedAt ?? record.info.startedAt });
      } else if (!isAnothers(record.host, this.#self)) {
        found.push({ key, endedAt: await this.#bury(key, record) });
      }
    }
    for (const { key } of found.toSorted((a, b) => (a.endedAt < b.endedAt ? -1 : 1))) this.#ended.add(key);
    await this.#forget();
  }

  /**
   * Starts a run and answers once its worktree stands; the run of that id where there is one. Errors: RATE_LIMITED (as
   * many go on as may), HEAD_MISMATCH, SHUTTING_DOWN, and what the workspace's snapshot refuses.
   */
  async start(workspaceId: string, request: AgentRunRequest): Promise<Result<{ run: AgentRunInfo }>> {
    const key = keyOf(workspaceId, request.runId);
    const ended = await this.#remembered(key);
    if (ended) return { ok: true, run: ended.info };
    const going = this.#active.get(key);
    if (!going && this.#stopping) return fail("SHUTTING_DOWN", "this host is stopping");
    if (!going && this.#active.size >= this.#options.maxRuns) {
      return fail("RATE_LIMITED", `${this.#options.maxRuns} runs go on here already`);
    }
    const active = going ?? this.#begin(key, workspaceId, request);
    const refused = await active.prepared;
    return refused ?? { ok: true, run: active.run.info };
  }

  /** RUN_NOT_FOUND. */
  async info(workspaceId: string, runId: string): Promise<Result<{ run: AgentRunInfo }>> {
    const key = keyOf(workspaceId, runId);
    const active = this.#active.get(key);
    if (active) return { ok: true, run: active.run.info };
    const record = await this.#remembered(key);
    return record ? { ok: true, run: record.info } : fail("RUN_NOT_FOUND", "this host knows no such run");
  }

  /** RUN_NOT_FOUND. */
  async events(workspaceId: string, runId: string): Promise<Result<{ events: EventLog }>> {
    const key = keyOf(workspaceId, runId);
    const active = this.#active.get(key);
    if (active) return { ok: true, events: active.run.events };
    const record = await this.#remembered(key);
    if (!record) return fail("RUN_NOT_FOUND", "this host knows no such run");
    const { events } = placesOf(join(this.#root, key));
    return { ok: true, events: EventLog.ended(events, this.#options.now, record.info.seq) };
  }

  /** Ends a run, if it goes on, and answers when it has ended. RUN_NOT_FOUND. */
  async cancel(workspaceId: string, runId: string): Promise<Result<{ run: AgentRunInfo }>> {
    const active = this.#active.get(keyOf(workspaceId, runId));
    if (active) {
      active.run.stop({ class: "cancelled", message: "it was told to end" });
      await active.done;
    }
    return this.info(workspaceId, runId);
  }

  /** Ends all runs: no agent outlives its host. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const { run } of this.#active.values()) run.stop({ class: "host-lost", message: "its host was stopped" });
    await Promise.all([...this.#active.values()].map(({ done }) => done));
  }

  #begin(key: string, workspaceId: string, request: AgentRunRequest): Active {
    const { programs, snapshot, isContained, secrets, now, clock, log } = this.#options;
    const adapter = ADAPTERS[request.provider];
    const named = programs.get(request.provider);
    const program =
      named === undefined ? findProgram(adapter.program, process.env.PATH ?? "") : isProgram(named) ? named : null;
    const run = new AgentRun({
      workspaceId,
      request,
      directory: join(this.#root, key),
      mark: this.#markOf(key),
      adapter,
      program,
      patchctl: this.#patchctl,
      versions: this.#versions,
      snapshot: () => snapshot(workspaceId),
      host: this.#self,
      isContained,
      secrets,
      now,
      clock,
      log,
    });
    const prepared = run.prepare();
    const done = prepared.then((refused) => (refused === null ? this.#carryOut(key, run) : undefined));
    const active = { run, prepared, done: done.finally(() => this.#active.delete(key)) };
    // Who asked hears of it; nobody else waits.
    active.done.catch((error: unknown) => log.error("a run could not be prepared", { error: String(error) }));
    this.#active.set(key, active);
    return active;
  }

  async #carryOut(key: string, run: AgentRun): Promise<void> {
    const result = await run.run();
    this.#ended.add(key);
    const { provider, runId } = run.info;
    this.#options.log.info("run", { runId, provider, class: result.class, ms: result.durationMs });
    this.#options.ended(provider, result);
    await this.#forget();
  }

  /** Marks a run's processes. Another host on this machine may have a run of that workspace and id. */
  #markOf(key: string): string {
    return shortHash(`${this.#root}\0${key}`);
  }

  async #remembered(key: string): Promise<RunRecord | null> {
    return this.#ended.has(key) && !this.#active.has(key) ? readRecord(join(this.#root, key)) : null;
  }

  /** What a host that died has left of a run; when it is told to have ended. */
  async #bury(key: string, record: RunRecord): Promise<string> {
    const { now, log } = this.#options;
    const places = placesOf(join(this.#root, key));
    const isGone = await endLeftovers(this.#markOf(key), record.leader);
    if (!isGone) log.error("processes of a lost run would not end", { runId: record.info.runId });
    await removeWork(places);
    const events = EventLog.left(places.events, now);
    events.add({ type: "state", state: "ended" });
    events.end();
    const endedAt = now();
    const result: AgentRunResult = {
      class: "host-lost",
      message: "its host died under it",
      exitCode: null,
      signal: null,
      retryAfterMs: null,
      diff: null,
      files: [],
      summary: null,
      usage: NO_USAGE,
      durationMs: Math.max(0, endedAt.getTime() - Date.parse(record.info.startedAt)),
      outputBytes: 0,
      engineBatches: 0,
    };
    const info: AgentRunInfo = {
      ...record.info,
      state: "ended",
      endedAt: endedAt.toISOString(),
      seq: events.seq,
      result,
    };
    await writeRecord(places.directory, { v: 1, info, leader: null, host: this.#self });
    log.warn("a run was lost with its host", { runId: info.runId, provider: info.provider });
    return endedAt.toISOString();
  }

  async #forget(): Promise<void> {
    for (const key of this.#ended) {
      if (this.#ended.size <= MAX_REMEMBERED) return;
      this.#ended.delete(key);
      await rm(join(this.#root, key), { recursive: true, force: true });
    }
  }
}

/** Names a run's directory; ids may be long, and differ in case alone. */
const keyOf = (workspaceId: string, runId: string): string => shortHash(`${workspaceId}\0${runId}`);

const shortHash = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 32);

/** Whether a living host other than this one carries the run out. */
function isAnothers(host: Leader, self: Leader): boolean {
  if (host.pid === self.pid) return false;
  const living = statOf(host.pid);
  return living !== null && !living.isZombie && living.startTime === host.startTime;
}
