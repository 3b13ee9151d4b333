import {
  EngineRevertRequestSchema,
  fail,
  orderOfWorkspace,
  validationError,
  vibeError,
  type BatchOutcome,
  type CheckOutcome,
  type EngineAnswer,
  type EngineApplyRequest,
  type EngineRevertRequest,
  type Failed,
  type FileMarkers,
  type Head,
  type LogEntry,
  type LoggedPatch,
  type Result,
  type TasksFile,
  type VibeError,
  type WorkspaceFile,
} from "@shared/contracts";
import {
  applyEntry,
  findMarkers,
  hashOf,
  pathsOfEntry,
  TextFile,
  verifyEntries,
  type FileEffect,
} from "../core/index.ts";
import type { SnapshotManifest } from "../history/archive.ts";
import type { History } from "../history/rebuild.ts";
import { writeSnapshot } from "../history/writeSnapshot.ts";
import { assessSafety } from "../safety/assess.ts";
import { runCheck } from "./checkCommand.ts";
import { entryOf, type Intent } from "./entryOf.ts";
import { readPolicy, writeTasks } from "./missionControl.ts";
import { dryRunOutcome, outcomeOfEntry, refusedOutcome, type Standing } from "./outcome.ts";
import { parseBatch } from "./parseBatch.ts";
import { planApply, planUndo, snapshotsOf, type Planned } from "./planning.ts";
import type { Workspace } from "./Workspace.ts";

type Door = LogEntry["door"];

export interface EngineOptions {
  workspaceId: string;
  root: string;
  now: () => Date;
  mintId: () => string;
  checkTimeoutMs: number;
  typesTimeoutMs: number;
}

/** The patch engine of one workspace. Calls are carried out one after the other, across processes. */
export class Engine {
  readonly #workspace: Workspace;
  readonly #options: EngineOptions;

  constructor(workspace: Workspace, options: EngineOptions) {
    this.#workspace = workspace;
    this.#options = options;
  }

  /** The log's head, the tree's hash and the number of files, as this process last saw them. */
  info(): { head: Head; treeHash: string; files: number } {
    const { head, tree } = this.#workspace;
    return { head, treeHash: tree.digest, files: tree.size };
  }

  /**
   * Applies a batch, all of it or nothing. A `batchId` that is in the log already is answered with what the log holds,
   * if the payload is the same, whatever `expectedHead` says. With `simulate`, or `dryRun` in the batch, it is planned
   * and gated, and nothing is written or remembered; the outcome says how safe it would be.
   */
  apply(request: EngineApplyRequest & { door: Door }): Promise<EngineAnswer> {
    const parsed = parseBatch(request.batch);
    if (!parsed.ok) return this.#refused(parsed, request.expectedHead);
    const { batch, payloadHash, explicitCheck } = parsed;
    const batchId = batch.batchId ?? this.#options.mintId();
    const dry = request.simulate === true || batch.dryRun;
    const intent: Intent = {
      kind: "batch",
      batchId,
      payloadHash,
      door: request.door,
      actor: request.actor ?? null,
      requester: batch.requester,
      reason: batch.reason,
      orderId: batch.orderId ?? orderOfWorkspace(this.#options.workspaceId),
      projectId: batch.projectId ?? null,
      phase: batch.phase ?? null,
      reverts: null,
    };
    const { root, typesTimeoutMs: timeoutMs } = this.#options;
    return this.#perform(intent, request.expectedHead, dry, () =>
      planApply(this.#workspace, batch, batchId, explicitCheck, { root, timeoutMs }),
    );
  }

  /** Undoes the patches of a target; see `planRevert` for what refuses it. Idempotent by `batchId`, as `apply` is. */
  revert(request: EngineRevertRequest & { door: Door }): Promise<EngineAnswer> {
    const parsed = EngineRevertRequestSchema.safeParse(request);
    if (!parsed.success) {
      return this.#refused({ ok: false, error: validationError(parsed.error) }, undefined);
    }
    const { target, batchId, requester, reason, expectedHead, actor } = parsed.data;
    const reverts = { target, patchIds: [] };
    const intent: Intent = {
      kind: "revert",
      batchId,
      payloadHash: hashOf({ target, requester, reason }),
      door: request.door,
      actor,
      requester,
      reason,
      orderId: null,
      projectId: null,
      phase: null,
      reverts,
    };
    return this.#perform(intent, expectedHead, false, () => planUndo(this.#workspace, target));
  }

  /** Runs the policy's `check` command on the tree as it stands. Edits are not held up meanwhile. */
  async validate(): Promise<CheckOutcome[]> {
    const read = readPolicy(this.#workspace.directory);
    if (!read.ok) {
      return [{ name: "check", level: "fail", ok: false, findings: [{ message: read.error.message }] }];
    }
    const { root, checkTimeoutMs, now } = this.#options;
    return [await runCheck(read.policy.check, root, checkTimeoutMs, now)];
  }

  /** A text file as it stands on disk. FILE_NOT_FOUND, PATH_…, NOT_A_REGULAR_FILE, BINARY_FILE, NOT_UTF8. */
  async readFile(path: string): Promise<Result<{ file: WorkspaceFile }>> {
    const read = this.#workspace.readDisk(path);
    if (!read.ok) return read;
    if (!read.file) return fail("FILE_NOT_FOUND", `there is no file ${path}`, { file: path });
    const { bytes, sha256, mode } = read.file.snapshot;
    const text = TextFile.read(path, bytes);
    if (!text.ok) return text;
    const content = text.text.bytes.toString("utf8");
    return { ok: true, file: { path, content, sha256, mode, lines: text.text.lineCount } };
  }

  /** The markers of the named files, or of every text file that has one. */
  async markers(files?: string[]): Promise<Result<{ files: FileMarkers[] }>> {
    const found: FileMarkers[] = [];
    for (const path of files ?? this.#workspace.tree.paths().toSorted()) {
      const read = this.#workspace.readDisk(path);
      if (!read.ok) {
        if (files) return read;
        continue;
      }
      if (!read.file) {
        if (files) found.push({ file: path, exists: false, lines: 0, markers: [] });
        continue;
      }
      const { bytes } = read.file.snapshot;
      const text = TextFile.read(path, bytes);
      if (!text.ok) {
        if (files) return text;
        continue;
      }
      const markers = findMarkers(path, bytes);
      if (files || markers.length > 0) found.push({ file: path, exists: true, lines: text.text.lineCount, markers });
    }
    return { ok: true, files: found };
  }

  /** The log's entries after `seq`, in order. Rejects where the log cannot be read. */
  async entriesAfter(seq: number, limit?: number): Promise<LogEntry[]> {
    const read = await this.#workspace.exclusively(() => ({
      ok: true as const,
      entries: this.#workspace.log.after(seq, limit),
    }));
    if (!read.ok) throw new Error(read.error.message);
    return read.entries;
  }

  /** A patch that was applied, with its entry. PATCH_NOT_FOUND. */
  async patch(patchId: string): Promise<Result<{ patch: LoggedPatch; entry: LogEntry }>> {
    return this.#workspace.exclusively((): Result<{ patch: LoggedPatch; entry: LogEntry }> => {
      const row = this.#workspace.log.patch(patchId);
      const entry = row && this.#workspace.log.at(row.seq);
      const patch = entry?.patches.find((one) => one.patch_id === patchId);
      if (!entry || !patch) return fail("PATCH_NOT_FOUND", `no patch ${patchId} was applied here`);
      return { ok: true, patch, entry };
    });
  }

  /** Replaces `.mission_control/tasks.json`. Rejects where it cannot be written. */
  async putTasks(file: TasksFile): Promise<void> {
    const put = await this.#workspace.exclusively(async () => {
      await writeTasks(this.#workspace.directory, file);
      return { ok: true as const };
    });
    if (!put.ok) throw new Error(put.error.message);
  }

  /**
   * Carries out entries of another copy of this workspace's log, gates off, and must come out at `treeHash`. Entries
   * that are here already are passed over. CHAIN_BROKEN, TREE_MISMATCH; each entry is verified before it is written.
   */
  async replay(entries: LogEntry[], treeHash: string): Promise<Result<{ head: Head; treeHash: string }>> {
    return this.#workspace.exclusively(async (): Promise<Result<{ head: Head; treeHash: string }>> => {
      const workspace = this.#workspace;
      const known = entries.filter(({ seq }) => seq <= workspace.head.seq);
      if (known.some(({ seq, hash }) => workspace.log.hashAt(seq) !== hash)) {
        return fail("CHAIN_BROKEN", "the workspace's log holds other entries than these");
      }
      const missing = entries.slice(known.length);
      const verdict = verifyEntries(missing, workspace.head);
      if (!verdict.ok) return fail("CHAIN_BROKEN", verdict.reason);
      const last = missing.at(-1);
      if ((last?.treeAfter ?? workspace.tree.digest) !== treeHash) {
        return fail("TREE_MISMATCH", "the entries do not lead to this tree");
      }
      const from = workspace.head.seq;
      for (const entry of missing) {
        const replayed = await this.#replayOne(entry);
        if (!replayed.ok) return replayed;
      }
      const settled = await workspace.settle(from);
      if (!settled.ok) return settled;
      return { ok: true, head: workspace.head, treeHash: workspace.tree.digest };
    });
  }

  /** Reads the whole log from disk again and follows its chain. LOG_CORRUPT names the first entry that breaks it. */
  async verify(): Promise<Result<{ head: Head }>> {
    return this.#workspace.exclusively(() => this.#workspace.log.verify());
  }

  /** All that is needed to build this workspace again from its source; see `rebuild`. */
  async history(): Promise<Result<History>> {
    return this.#workspace.exclusively((): Result<History> => {
      const source = this.#workspace.source();
      if (!source.ok) return source;
      const { log, tree } = this.#workspace;
      const { workspaceId } = this.#options;
      return { ok: true, workspaceId, source: source.files, entries: log.after(0), treeHash: tree.digest };
    });
  }

  /**
   * Writes the workspace as one file: tree, log, and where it came from; see `restoreSnapshot`. Edits wait meanwhile.
   * `target`: a system path where nothing stands. FILE_EXISTS, STALE_CONTENT (a file is not as the log left it).
   */
  async snapshot(target: string): Promise<Result<{ manifest: SnapshotManifest }>> {
    const { workspaceId } = this.#options;
    return this.#workspace.exclusively(() => writeSnapshot(this.#workspace, workspaceId, target));
  }

  /** Waits for what was asked before, then lets go of the workspace; later calls are SHUTTING_DOWN. */
  close(): Promise<void> {
    return this.#workspace.close();
  }

  async #perform(
    intent: Intent,
    expectedHead: Head | undefined,
    dry: boolean,
    plan: () => Promise<Planned>,
  ): Promise<EngineAnswer> {
    const performed = await this.#workspace.exclusively(async (): Promise<{ ok: true; answer: EngineAnswer }> => {
      const recorded = dry ? null : this.#recorded(intent);
      if (recorded) return { ok: true, answer: this.#answer(recorded, expectedHead, intent.batchId) };
      const { head } = this.#workspace;
      if (expectedHead && (expectedHead.seq !== head.seq || expectedHead.hash !== head.hash)) {
        const error = vibeError("HEAD_MISMATCH", `the log stands at entry ${head.seq}, not ${expectedHead.seq}`);
        return { ok: true, answer: this.#answer({ error, outcome: null }, expectedHead) };
      }
      const written = await this.#planAndWrite(intent, dry, plan);
      return { ok: true, answer: this.#answer(written, expectedHead, dry ? undefined : intent.batchId) };
    });
    return performed.ok ? performed.answer : this.#unavailable(performed);
  }

  /** What the log holds of this batch id; null where it holds nothing. */
  #recorded({ batchId, payloadHash }: Intent): { outcome: BatchOutcome | null; error?: VibeError } | null {
    const row = this.#workspace.log.batch(batchId);
    if (!row) return null;
    if (row.payloadHash !== payloadHash) {
      const error = vibeError("IDEMPOTENCY_CONFLICT", `the batch id ${batchId} was used for another payload`);
      return { outcome: null, error };
    }
    const entry = this.#workspace.log.at(row.seq);
    return entry ? { outcome: outcomeOfEntry(entry, this.#options.workspaceId) } : null;
  }

  async #planAndWrite(
    intent: Intent,
    dry: boolean,
    makePlan: () => Promise<Planned>,
  ): Promise<{ outcome: BatchOutcome; error?: VibeError }> {
    const workspace = this.#workspace;
    const started = this.#options.now().getTime();
    const standing = (treeHash: string): Standing => ({
      batchId: intent.batchId,
      workspaceId: this.#options.workspaceId,
      head: workspace.head,
      treeHash,
      durationMs: Math.max(0, this.#options.now().getTime() - started),
    });
    const planned = await makePlan();
    if (!planned.ok) {
      const { error, patches, errors, checks } = planned;
      return { error, outcome: refusedOutcome(standing(workspace.tree.digest), patches, errors, checks) };
    }
    const { plan, disk, checks } = planned;
    const treeAfter = workspace.treeAfter(plan.files);
    if (dry) {
      const safety = await assessSafety(plan, snapshotsOf(disk), checks);
      return { outcome: dryRunOutcome(standing(treeAfter), plan, checks, safety) };
    }

    const entry = entryOf(intent, plan, checks, {
      head: workspace.head,
      ts: this.#options.now().toISOString(),
      treeBefore: workspace.tree.digest,
      treeAfter,
      durationMs: standing(treeAfter).durationMs,
    });
    const contents = new Map<string, FileEffect>();
    for (const { path, after, afterSha256, mode } of plan.files) {
      if (after !== null && afterSha256 !== null) contents.set(path, { bytes: after, sha256: afterSha256, mode });
    }
    const committed = await workspace.commit(entry, disk, ({ path }) => contents.get(path) ?? null);
    if (!committed.ok) {
      const { error } = committed;
      const patches = plan.patches;
      const errors = new Map(patches.map((patch) => [patch.patch_id, error]));
      const outcome = refusedOutcome(standing(workspace.tree.digest), patches, errors, checks);
      return { error, outcome: error.nothingWritten === true ? outcome : inDoubt(outcome) };
    }
    return { outcome: outcomeOfEntry(entry, this.#options.workspaceId) };
  }

  async #replayOne(entry: LogEntry): Promise<Result<{}>> {
    const workspace = this.#workspace;
    if (workspace.tree.digest !== entry.treeBefore) {
      return fail("TREE_MISMATCH", `entry ${entry.seq} begins with another tree than stands here`);
    }
    const loaded = workspace.load(pathsOfEntry(entry));
    for (const error of loaded.errors.values()) return { ok: false, error };
    const applied = applyEntry(entry, snapshotsOf(loaded.files));
    if (!applied.ok) return applied;
    if (workspace.treeAfter(entry.files) !== entry.treeAfter) {
      return fail("TREE_MISMATCH", `entry ${entry.seq} does not lead to the tree it names`);
    }
    // The sender still has what a power loss might take from this copy: it is made durable once, at the end.
    return workspace.commit(entry, loaded.files, ({ path }) => applied.changes.get(path) ?? null, false);
  }

  /** `entries`: those after `expectedHead`, or, where the caller gave none, this call's own. */
  #answer(
    result: { outcome: BatchOutcome | null; error?: VibeError },
    expectedHead: Head | undefined,
    batchId?: string,
  ): EngineAnswer {
    const { log, head } = this.#workspace;
    const own = batchId === undefined || result.error ? undefined : log.batch(batchId);
    const entries = expectedHead
      ? log.hashAt(expectedHead.seq) === expectedHead.hash
        ? log.after(expectedHead.seq)
        : []
      : own
        ? log.after(own.seq - 1, 1)
        : [];
    return { ok: !result.error, ...(result.error && { error: result.error }), outcome: result.outcome, head, entries };
  }

  /** A call that never came to be planned. */
  async #refused(failed: Failed, expectedHead: Head | undefined): Promise<EngineAnswer> {
    const answered = await this.#workspace.exclusively(() => ({
      ok: true as const,
      answer: this.#answer({ error: failed.error, outcome: null }, expectedHead),
    }));
    return answered.ok ? answered.answer : this.#unavailable(answered);
  }

  /** The workspace could not be locked or read: what is known of it is all there is to say. */
  #unavailable({ error }: Failed): EngineAnswer {
    return { ok: false, error, outcome: null, head: this.#workspace.head, entries: [] };
  }
}

const inDoubt = (outcome: BatchOutcome): BatchOutcome => ({
  ...outcome,
  status: "pending",
  patches: outcome.patches.map((patch) => ({ ...patch, status: "pending" })),
});
