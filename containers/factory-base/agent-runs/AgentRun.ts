import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { NO_USAGE, type AgentRunInfo, type AgentRunRequest, type AgentRunResult, type Failed } from "@shared/contracts";
import type { Log } from "../log.ts";
import type { AgentAdapter, AgentReport } from "./adapters/adapter.ts";
import { startAgent, type Exit, type Started } from "./AgentProcess.ts";
import { oneLine } from "./classify.ts";
import { collectChange, type Change } from "./collectChange.ts";
import { diskUsage } from "./diskUsage.ts";
import { runEnvironment } from "./environment.ts";
import { EventLog } from "./EventLog.ts";
import { watchLimits, type Breach } from "./LimitWatch.ts";
import { OutputReader } from "./OutputReader.ts";
import type { Versions } from "./program.ts";
import { Redactor } from "./Redactor.ts";
import type { ReferenceGit } from "./referenceGit.ts";
import type { Leader } from "./RunProcesses.ts";
import { writeRecord } from "./runRecord.ts";
import { verdictOf, type Stop } from "./verdict.ts";
import { writePrompt } from "./prompt.ts";
import {
  countBatches,
  makeHome,
  makeWorktree,
  placesOf,
  readPlainFile,
  removeWork,
  type RunPlaces,
  type Snapshot,
} from "./worktree.ts";

/** How long an agent that is told to end may take for it, in ms. */
const GRACE_MS = 2_000;
const MAX_USAGE_FILE = 1024 * 1024;

export interface AgentRunParts {
  workspaceId: string;
  request: AgentRunRequest;
  /** The run's own directory, and by what its processes are known. */
  directory: string;
  mark: string;
  adapter: AgentAdapter;
  /** Null where this host has no such program. */
  program: string | null;
  patchctl: string | null;
  versions: Versions;
  snapshot: Snapshot;
  host: Leader;
  isContained: boolean;
  /** The host's own secrets: an agent of the same user may find them. */
  secrets: readonly string[];
  now: () => Date;
  /** Milliseconds that never go back. */
  clock: () => number;
  log: Log;
}

/** One run of a CLI agent, from its worktree to its result. It needs no one who waits for it. */
export class AgentRun {
  readonly events: EventLog;
  readonly #parts: AgentRunParts;
  readonly #places: RunPlaces;
  readonly #redactor: Redactor;
  readonly #started: number;
  readonly #stop = Promise.withResolvers<Stop>();
  #info: AgentRunInfo;
  #leader: Leader | null = null;
  #git: ReferenceGit | null = null;

  constructor(parts: AgentRunParts) {
    this.#parts = parts;
    const { request, workspaceId, directory, now, clock } = parts;
    this.#places = placesOf(directory);
    this.#redactor = new Redactor([request.apiKey, ...request.redact, ...parts.secrets]);
    this.#started = clock();
    this.events = new EventLog(this.#places.events, now);
    this.#info = {
      runId: request.runId,
      workspaceId,
      provider: request.provider,
      model: request.model,
      taskId: request.taskId,
      orderId: request.orderId,
      state: "preparing",
      startedAt: now().toISOString(),
      endedAt: null,
      base: null,
      cliVersion: null,
      seq: 0,
      result: null,
    };
  }

  get info(): AgentRunInfo {
    return { ...this.#info, seq: this.events.seq };
  }

  /** Tells the run to end; the first reason counts. It has ended when `run` settles. */
  stop(why: Stop): void {
    this.#stop.resolve(why);
  }

  /** Makes the worktree. What refuses it leaves nothing of the run behind. */
  async prepare(): Promise<Failed | null> {
    const { directory, request, snapshot, workspaceId } = this.#parts;
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await this.#save();
    this.events.add({ type: "state", state: "preparing" });
    const made = await makeWorktree(this.#places, snapshot, request.expectedHead, workspaceId);
    if (!made.ok) {
      this.events.end();
      await rm(directory, { recursive: true, force: true });
      return made;
    }
    this.#git = made.git;
    this.#info.base = made.base;
    return null;
  }

  /** Runs the agent and settles when the run has ended, however it did. */
  async run(): Promise<AgentRunResult> {
    let result: AgentRunResult;
    try {
      result = await this.#work();
    } catch (error) {
      this.#parts.log.error("an agent's run failed", {
        runId: this.#info.runId,
        error: this.#redactor.clean(error instanceof Error ? (error.stack ?? error.message) : String(error)),
      });
      result = this.#result({ class: "agent-error", message: "the host could not carry out the run" });
    }
    await this.#clear();
    Object.assign(this.#info, { state: "ended", endedAt: this.#parts.now().toISOString(), result });
    this.#leader = null;
    this.events.add({ type: "state", state: "ended" });
    this.#info.seq = this.events.seq;
    // The record first: who reads that the events have ended finds the result.
    await this.#save();
    this.events.end();
    return result;
  }

  async #work(): Promise<AgentRunResult> {
    const { adapter, program, patchctl, isContained, request, mark, versions } = this.#parts;
    const { home, tree } = this.#places;
    if (program === null) {
      return this.#result({ class: "not-installed", message: `this host has no program ${adapter.program}` });
    }
    const environment = runEnvironment(home, mark, program);
    const shim = patchctl === null ? null : join(home, "bin/patchctl");
    const command = adapter.command({
      prompt: await writePrompt(tree, request.prompt),
      model: request.model,
      apiKey: request.apiKey,
      endpoint: request.endpoint?.replace(/\/+$/u, "") ?? null,
      maxCostUsd: request.maxCostUsd,
      isContained,
      home,
      tree,
      patchctl: shim,
    });
    await makeHome(home, {
      ...command.files,
      // A login shell sets PATH anew first.
      ".profile": { content: `export PATH='${environment.PATH ?? ""}'\n` },
      ...(patchctl !== null && {
        "bin/patchctl": { content: `#!/bin/sh\nexec '${process.execPath}' '${patchctl}' "$@"\n`, mode: 0o755 },
      }),
    });
    this.#info.cliVersion = await versions.of(program, environment);

    const parser = adapter.parser();
    const reader = new OutputReader(parser, this.#redactor, request.limits.outputBytes, (draft) =>
      this.events.add(draft),
    );
    const env = { ...environment, ...command.env };
    const { limits } = request;
    const before = await diskUsage([tree, home]);
    const agent = startAgent({ program, args: command.args, env, cwd: tree }, { mark, limits, reader });
    if (agent === null) return this.#result({ class: "agent-error", message: "the program could not be started" });
    this.#leader = agent.leader;
    await this.#enter("running");
    const { exit, stopped } = await this.#until(agent, reader, before);
    await this.#enter("collecting");
    const report = await parser.report({
      code: exit.code,
      stderr: reader.stderr,
      file: async (path) => {
        const text = await readPlainFile(join(home, path), MAX_USAGE_FILE);
        return text === null ? null : this.#redactor.clean(text);
      },
    });
    return this.#conclude(exit, stopped, report, reader.bytes);
  }

  /** Waits for the agent's end or what ends it, and leaves no process of the run. */
  async #until(agent: Started, reader: OutputReader, before: number): Promise<{ exit: Exit; stopped: Stop | null }> {
    const { request, log, clock } = this.#parts;
    const { limits } = request;
    const watching = new AbortController();
    const watched = watchLimits(limits, {
      processes: agent.processes,
      directories: [this.#places.tree, this.#places.home],
      before,
      signal: watching.signal,
      clock,
    });
    const flooded = agent.flooded.then((): Breach => ({
      class: "output-limit",
      message: `it printed over ${limits.outputBytes} bytes`,
    }));
    const saving = setInterval(() => this.events.save(), 500);
    try {
      let stopped: Stop | null = await Promise.race([
        agent.exited.then(() => null),
        watched,
        flooded,
        reader.hopeless,
        this.#stop.promise,
      ]);
      const isPatient = stopped !== null && ["cancelled", "timeout", "output-limit"].includes(stopped.class);
      const isGone = await agent.processes.end(isPatient ? GRACE_MS : 0);
      if (!isGone) log.error("processes of a run would not end", { runId: request.runId });
      const exit = await agent.exited;
      await agent.drained();
      reader.end();
      watching.abort();
      const late = await watched;
      if (reader.isOver) stopped ??= await flooded;
      return { exit, stopped: stopped ?? late };
    } finally {
      clearInterval(saving);
      watching.abort();
    }
  }

  async #conclude(exit: Exit, stopped: Stop | null, report: AgentReport, outputBytes: number): Promise<AgentRunResult> {
    const { request } = this.#parts;
    const base = this.#info.base;
    const git = this.#git;
    // What was stopped is not applied, whatever it has changed by then.
    const change: Change =
      stopped === null && base !== null && git !== null
        ? await collectChange(git, base.commit, request.limits.diffBytes)
        : { kind: "none" };
    const summary = report.summary === null ? null : this.#redactor.clean(report.summary);
    const isSecretInDiff = change.kind === "diff" && this.#redactor.holds(change.diff);
    const verdict = verdictOf({
      stopped,
      exit,
      change,
      failure: report.failure,
      isSecretTold: this.#redactor.seen || isSecretInDiff,
    });
    return this.#result({
      ...verdict,
      message: this.#redactor.clean(oneLine(verdict.message)),
      exitCode: exit.code,
      signal: exit.signal,
      summary,
      usage: report.usage,
      outputBytes,
      engineBatches: await countBatches(this.#places.tree),
      ...(verdict.class === "change" && change.kind === "diff" && { diff: change.diff, files: change.files }),
    });
  }

  #result(part: Pick<AgentRunResult, "class" | "message"> & Partial<AgentRunResult>): AgentRunResult {
    return {
      exitCode: null,
      signal: null,
      retryAfterMs: null,
      diff: null,
      files: [],
      summary: null,
      usage: NO_USAGE,
      durationMs: Math.max(0, Math.round(this.#parts.clock() - this.#started)),
      outputBytes: 0,
      engineBatches: 0,
      ...part,
    };
  }

  async #enter(state: "running" | "collecting"): Promise<void> {
    this.#info.state = state;
    this.events.add({ type: "state", state });
    await this.#save();
  }

  #save(): Promise<void> {
    return writeRecord(this.#places.directory, {
      v: 1,
      info: this.info,
      leader: this.#leader,
      host: this.#parts.host,
    });
  }

  async #clear(): Promise<void> {
    try {
      await removeWork(this.#places);
    } catch (error) {
      this.#parts.log.error("a run's worktree could not be removed", { runId: this.#info.runId, error: String(error) });
    }
  }
}
