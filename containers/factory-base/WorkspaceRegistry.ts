import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  fail,
  WorkspaceSourceSchema,
  type Failed,
  type OpenWorkspaceRequestSchema,
  type Result,
  type WorkspaceInfo,
} from "@shared/contracts";
import { openEngine, type Engine, type SnapshotManifest } from "patch-engine";
import { POINTER, type HostPointer } from "patch-engine/serving";
import { z } from "zod";
import { EnginePool } from "./EnginePool.ts";
import type { Log } from "./log.ts";
import { ENGINE_DIRECTORY } from "./sources/copyTree.ts";
import { materialize, type SkippedFile } from "./sources/index.ts";
import { SOURCE_LIMITS } from "./sources/source.ts";
import { sameSource } from "./sources/sameSource.ts";

export type OpenRequest = z.output<typeof OpenWorkspaceRequestSchema>;

/** `.mission_control/source.json`: what a workspace was opened from. A workspace is one that has it. */
const RecordSchema = z.object({
  v: z.literal(1),
  workspaceId: z.string(),
  source: WorkspaceSourceSchema,
  /** The source by content: a git commit, or the tree hash of what was opened. */
  pin: z.string(),
  openedAt: z.string(),
  skipped: z.array(z.object({ path: z.string(), reason: z.enum(["symlink", "special file", "engine state"]) })),
});
type WorkspaceRecord = z.output<typeof RecordSchema>;

interface OpenWorkspace {
  engine: Engine;
  record: WorkspaceRecord;
}

export type Opened = Result<{ workspace: WorkspaceInfo; created: boolean; skipped: SkippedFile[] }>;

export interface RegistryOptions {
  dataDir: string;
  templates: ReadonlyMap<string, string>;
  sourceRoots: readonly string[];
  maxOpenEngines: number;
  log: Log;
  now: () => Date;
  mintId: () => string;
  /** Where this host listens for `patchctl`; null where it does not. */
  socket: () => string | null;
}

/**
 * The workspaces on this host's disk. A directory appears under its final name only when it is complete, so whatever
 * is found there after a crash is a workspace, and the directory tree is all the state there is.
 */
export class WorkspaceRegistry {
  readonly #options: RegistryOptions;
  readonly #root: string;
  readonly #staging: string;
  readonly #pool: EnginePool<OpenWorkspace>;
  /** The last opening of each id, to queue behind. */
  readonly #openings = new Map<string, Promise<unknown>>();

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#root = join(options.dataDir, "workspaces");
    this.#staging = join(options.dataDir, "staging");
    this.#pool = new EnginePool({
      max: options.maxOpenEngines,
      open: (id) => this.#load(id),
      onCloseError: (workspaceId, error) =>
        options.log.error("an engine failed to close", { workspaceId, error: String(error) }),
    });
  }

  get openEngines(): number {
    return this.#pool.size;
  }

  /** How many workspaces stand on this host's disk. */
  async count(): Promise<number> {
    try {
      return (await readdir(this.#root)).length;
    } catch (error) {
      if (isAbsent(error)) return 0;
      throw error;
    }
  }

  /** Finds what is on disk, and clears away what an earlier run left half opened. */
  async start(): Promise<void> {
    await mkdir(this.#root, { recursive: true });
    await mkdir(this.#staging, { recursive: true });
    for (const name of await readdir(this.#staging)) {
      const pid = Number.parseInt(name, 10);
      // In a container every run has the same process id, so one's own marks an earlier run too.
      if (pid === process.pid || !isAlive(pid)) await rm(join(this.#staging, name), { recursive: true, force: true });
    }
  }

  /**
   * Opens a workspace from its source, or answers with the one already open from it; of several at once for one id,
   * one does the work. Errors: SOURCE_INVALID, WORKSPACE_EXISTS (opened from another source before), IO_ERROR.
   */
  open(request: OpenRequest): Promise<Opened> {
    const id = request.workspaceId;
    const before = this.#openings.get(id) ?? Promise.resolve();
    const opening = before.then(
      () => this.#openInTurn(request),
      () => this.#openInTurn(request),
    );
    this.#openings.set(id, opening);
    const leave = () => {
      if (this.#openings.get(id) === opening) this.#openings.delete(id);
    };
    opening.then(leave, leave);
    return opening;
  }

  /** Runs `work` on a workspace's engine. Errors of its own: WORKSPACE_NOT_FOUND, and what opening its log finds. */
  async use<T>(id: string, work: (engine: Engine) => Promise<T>): Promise<T | Failed> {
    if (!this.#exists(id)) {
      // The disk under a container may vanish: what an open engine remembers of it is worth nothing then.
      await this.#pool.close(id);
      return fail("WORKSPACE_NOT_FOUND", "this host has no such workspace");
    }
    return this.#pool.use(id, ({ engine }) => work(engine));
  }

  /** Writes a workspace into a file that the caller removes. Errors: as `use`, STALE_CONTENT, IO_ERROR. */
  async snapshot(id: string): Promise<Result<{ path: string; manifest: SnapshotManifest }>> {
    const path = join(this.#staging, `${process.pid}-${this.#options.mintId()}.tar.gz`);
    const written = await this.use(id, (engine) => engine.snapshot(path));
    return written.ok ? { ...written, path } : written;
  }

  /** Runs `work` with an empty directory of its own, which is gone afterwards; what a kill leaves, the next start clears. */
  async inScratch<T>(work: (directory: string) => Promise<T>): Promise<T> {
    const directory = join(this.#staging, `${process.pid}-${this.#options.mintId()}`);
    await mkdir(directory, { recursive: true });
    try {
      return await work(directory);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }

  /** Errors: as `use`. */
  async info(id: string): Promise<Result<{ workspace: WorkspaceInfo; skipped: SkippedFile[] }>> {
    if (!this.#exists(id)) return fail("WORKSPACE_NOT_FOUND", "this host has no such workspace");
    return this.#pool.use(id, async ({ engine, record }) => ({
      ok: true as const,
      workspace: await workspaceInfo(record, engine),
      skipped: record.skipped,
    }));
  }

  /** The directory of a workspace; null where this host has none by that id. */
  rootOf(id: string): string | null {
    return this.#exists(id) ? this.#directoryOf(id) : null;
  }

  closeAll(): Promise<void> {
    return this.#pool.closeAll();
  }

  async #openInTurn(request: OpenRequest): Promise<Opened> {
    const existing = await this.#readRecord(request.workspaceId);
    if (existing) return this.#reopen(request, existing);
    await this.#pool.close(request.workspaceId);
    const created = await this.#create(request);
    if (!created.ok) return created;
    const info = await this.info(request.workspaceId);
    return info.ok ? { ...info, created: true } : info;
  }

  async #reopen(request: OpenRequest, record: WorkspaceRecord): Promise<Opened> {
    if (!sameSource(record.source, request.source)) {
      return fail("WORKSPACE_EXISTS", "the workspace was opened from another source");
    }
    if (request.pin !== undefined && request.pin !== record.pin) {
      return fail("SOURCE_INVALID", "the workspace was opened from another state of this source");
    }
    const info = await this.info(request.workspaceId);
    return info.ok ? { ...info, created: false } : info;
  }

  async #create(request: OpenRequest): Promise<Result<object>> {
    const { workspaceId, source, pin: expectedPin } = request;
    const staging = join(this.#staging, `${process.pid}-${this.#options.mintId()}`);
    const tree = join(staging, "tree");
    try {
      await mkdir(tree, { recursive: true });
      const made = await materialize(source, tree, {
        templates: this.#options.templates,
        sourceRoots: this.#options.sourceRoots,
        dataDir: this.#options.dataDir,
        scratch: staging,
        limits: SOURCE_LIMITS,
        pin: expectedPin,
      });
      if (!made.ok) return made;
      if (made.skipped.length > 0) {
        this.#options.log.info("left out of a workspace", { workspaceId, files: made.skipped.length });
      }
      const pin = made.pin ?? (await this.#treeHashOf(tree, workspaceId));
      if (typeof pin !== "string") return pin;
      if (expectedPin !== undefined && expectedPin !== pin) {
        return fail("SOURCE_INVALID", "the source is no longer what it was when the workspace was first opened");
      }
      const record: WorkspaceRecord = {
        v: 1,
        workspaceId,
        source: made.recorded,
        pin,
        openedAt: this.#options.now().toISOString(),
        skipped: made.skipped,
      };
      await mkdir(join(tree, ENGINE_DIRECTORY), { recursive: true });
      await writeDurably(recordPath(tree), JSON.stringify(record, null, 2));
      const directory = this.#directoryOf(workspaceId);
      await mkdir(this.#root, { recursive: true });
      // Whatever stands there without a record is not a workspace.
      await rm(directory, { recursive: true, force: true });
      await rename(tree, directory);
      await syncDirectory(this.#root);
      return { ok: true };
    } finally {
      await rm(staging, { recursive: true, force: true });
    }
  }

  /** The engine itself says what the hash of its tree is: there is one rule for what belongs to it. */
  async #treeHashOf(root: string, workspaceId: string): Promise<string | Failed> {
    const opened = await openEngine({ root, workspaceId });
    if (!opened.ok) return opened;
    const { treeHash } = opened.engine.info();
    await opened.engine.close();
    return treeHash;
  }

  async #load(id: string): Promise<Result<{ held: OpenWorkspace }>> {
    const record = await this.#readRecord(id);
    if (!record) return fail("WORKSPACE_NOT_FOUND", "this host has no such workspace");
    const opened = await openEngine({
      root: this.#directoryOf(id),
      workspaceId: id,
      now: this.#options.now,
      mintId: this.#options.mintId,
    });
    if (!opened.ok) return opened;
    await this.#writePointer(id);
    return { ok: true, held: { engine: opened.engine, record } };
  }

  /** Tells every `patchctl` in the workspace whom to ask. Without it they do the work themselves. */
  async #writePointer(workspaceId: string): Promise<void> {
    const socket = this.#options.socket();
    if (socket === null) return;
    const pointer: HostPointer = { v: 1, socket, workspaceId };
    const path = join(this.#directoryOf(workspaceId), ENGINE_DIRECTORY, POINTER);
    try {
      await writeFile(`${path}.tmp`, `${JSON.stringify(pointer)}\n`, { mode: 0o600 });
      await rename(`${path}.tmp`, path);
    } catch (error) {
      this.#options.log.warn("no patchctl will find this host", { workspaceId, error: String(error) });
    }
  }

  async #readRecord(id: string): Promise<WorkspaceRecord | null> {
    let text: string;
    try {
      text = await readFile(recordPath(this.#directoryOf(id)), "utf8");
    } catch (error) {
      if (isAbsent(error)) return null;
      throw error;
    }
    return RecordSchema.parse(JSON.parse(text));
  }

  /** One look at a name the kernel has at hand: sooner done here than by another thread. */
  #exists(id: string): boolean {
    return statSync(recordPath(this.#directoryOf(id)), { throwIfNoEntry: false }) !== undefined;
  }

  /** Readable, and different for every id on every file system: ids may be long, and differ in case alone. */
  #directoryOf(id: string): string {
    const readable = id.replaceAll(/[^A-Za-z0-9._-]/g, "_").slice(0, 60);
    return join(this.#root, `${readable}-${createHash("sha256").update(id).digest("hex").slice(0, 24)}`);
  }
}

const recordPath = (root: string): string => join(root, ENGINE_DIRECTORY, "source.json");

/** The workspace as its log on disk has it. */
async function workspaceInfo(record: WorkspaceRecord, engine: Engine): Promise<WorkspaceInfo> {
  // The engine knows what it saw last; reading its log takes in what `patchctl` has written since in a process of its own.
  await engine.entriesAfter(engine.info().head.seq, 1);
  const { workspaceId, source, pin } = record;
  return { workspaceId, source, pin, ...engine.info() };
}

const isAbsent = (error: unknown): boolean =>
  error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, "wx", 0o644);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
