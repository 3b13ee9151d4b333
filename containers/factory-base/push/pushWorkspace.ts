import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  type EnginePushAnswer,
  type EnginePushRequestSchema,
  fail,
  GENESIS_HEAD,
  type Head,
  type LogEntry,
  type Result,
  type WorkspaceInfo,
} from "@shared/contracts";
import type { SnapshotManifest } from "patch-engine";
import { extract } from "tar";
import type { z } from "zod";
import { ENGINE_DIRECTORY } from "../sources/copyTree.ts";
import type { WorkspaceRegistry } from "../WorkspaceRegistry.ts";
import { refusalOf } from "./refusalOf.ts";
import { GitFailure, PushRepository } from "./PushRepository.ts";
import { type PushRemotes, resolvePushRemote } from "./remotes.ts";
import { readTrailers, withTrailers } from "./trailers.ts";

export type PushRequest = z.output<typeof EnginePushRequestSchema>;

const TREE = "tree/";
/** How often a branch that moves meanwhile, or an answer that is lost, is looked at anew. */
const ATTEMPTS = 3;
const LOG_PAGE = 1_000;
const COMMIT = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;

/**
 * Pushes a workspace's tree as one commit on top of the branch, or on top of where the branch begins, with trailers that
 * name order, workspace, batches and the heads of log and custody. A branch that has this tree is left as it is, so
 * asking again changes nothing, also where the first answer was lost. Commits of anybody else on the branch are never
 * overwritten and never built upon.
 *
 * Errors: WORKSPACE_NOT_FOUND, HEAD_MISMATCH, STALE_CONTENT, SOURCE_INVALID (the remote), CONFLICT (the
 * branch is not ours any more), NOT_FOUND, UPSTREAM_REFUSED, UPSTREAM_UNAVAILABLE (in doubt where it was pushing).
 */
export async function pushWorkspace(
  parts: { registry: WorkspaceRegistry; remotes: PushRemotes; now: () => Date },
  workspaceId: string,
  request: PushRequest,
): Promise<Result<EnginePushAnswer>> {
  const { registry, remotes, now } = parts;
  const remote = resolvePushRemote(request.remote, remotes);
  if (!remote.ok) return remote;
  const info = await registry.info(workspaceId);
  if (!info.ok) return info;
  const snapshot = await registry.snapshot(workspaceId);
  if (!snapshot.ok) return snapshot;
  const { manifest, path } = snapshot;
  try {
    const { head } = manifest;
    if (head.seq !== request.expectedHead.seq || head.hash !== request.expectedHead.hash) {
      return fail("HEAD_MISMATCH", "the workspace has moved on: read where it stands and ask again");
    }
    const entries = await registry.use(workspaceId, async (engine) => {
      const all: LogEntry[] = [];
      for (;;) {
        const page = await engine.entriesAfter(all.at(-1)?.seq ?? 0, LOG_PAGE);
        all.push(...page.filter(({ seq }) => seq <= head.seq));
        if (page.length < LOG_PAGE) return { ok: true as const, all };
      }
    });
    if (!entries.ok) return entries;
    return await registry.inScratch(async (directory) => {
      const worktree = join(directory, "tree");
      await mkdir(worktree);
      await extract({ file: path, cwd: worktree, strip: 1, filter: (name) => name.startsWith(TREE) });
      const repository = new PushRepository({ directory, worktree, remote: remote.address, token: request.token });
      const secrets = [request.token, Buffer.from(`x-access-token:${request.token}`).toString("base64")];
      const pushing = { request, repository, info: info.workspace, manifest, entries: entries.all, now };
      return persist(pushing, secrets, [directory, remote.address]);
    });
  } finally {
    await rm(path, { force: true });
  }
}

interface Pushing {
  request: PushRequest;
  repository: PushRepository;
  info: WorkspaceInfo;
  manifest: SnapshotManifest;
  /** The whole log, up to the snapshot's head. */
  entries: readonly LogEntry[];
  now: () => Date;
}

/** How far it has got. */
interface Step {
  pushing: boolean;
  /** Commits that were sent, whatever was heard of it. */
  sent: Set<string>;
}

async function persist(
  pushing: Pushing,
  secrets: readonly string[],
  places: readonly string[],
): Promise<Result<EnginePushAnswer>> {
  const step: Step = { pushing: false, sent: new Set() };
  for (let attempt = 1; ; attempt += 1) {
    step.pushing = false;
    try {
      if (attempt === 1) await pushing.repository.init();
      return await pushOnce(pushing, step);
    } catch (error) {
      if (!(error instanceof GitFailure)) throw error;
      const { failed, lookAgain } = refusalOf(error, { secrets, places, pushing: step.pushing });
      if (!lookAgain || attempt === ATTEMPTS) return failed;
    }
  }
}

async function pushOnce(pushing: Pushing, step: Step): Promise<Result<EnginePushAnswer>> {
  const { request, repository, manifest, info, entries } = pushing;
  const ref = `refs/heads/${request.branch}`;
  const begun = await beginning(pushing, ref);
  if (!begun.ok) return begun;
  const { tip, parent } = begun;
  const record = parent === null ? null : await repository.read(parent);
  const files = manifest.entries.filter(({ name }) => name.startsWith(TREE)).map(({ name }) => name.slice(TREE.length));
  const tree = await repository.writeTree(parent, files, isEngines);
  const answer = { branch: request.branch, head: manifest.head, treeHash: manifest.treeHash };
  const { mine, since } = provenanceOf(record?.message ?? "", info.workspaceId, entries);
  if (tip !== null && record?.tree === tree && mine) {
    return { ok: true, ...answer, commit: tip, parent: record.parent, pushed: step.sent.has(tip) };
  }
  if (tip !== null && !mine && !begun.isBare) {
    return fail(
      "CONFLICT",
      "the branch holds commits that are not this workspace's: they are neither overwritten nor built upon",
    );
  }
  const message = withTrailers(request.message, {
    orderId: request.orderId,
    workspaceId: info.workspaceId,
    log: manifest.head,
    custody: request.custody,
    treeHash: manifest.treeHash,
    batchIds: entries.filter(({ seq }) => seq > since).map(({ batchId }) => batchId),
  });
  // By the last edit's time, so that the same state makes the same commit.
  const at = entries.at(-1)?.ts;
  const commit = await repository.commit({
    tree,
    parent,
    message,
    author: request.author,
    at: at === undefined ? pushing.now() : new Date(at),
  });
  step.pushing = true;
  step.sent.add(commit);
  await repository.push(commit, ref, tip);
  return { ok: true, ...answer, commit, parent, pushed: true };
}

/**
 * What the commit stands on: the branch as it is; else the commit the workspace was opened from, where the remote has
 * it; else the tip of the base branch; else nothing, in a repository without a commit.
 */
async function beginning(
  { repository, request, info }: Pushing,
  ref: string,
): Promise<Result<{ tip: string | null; parent: string | null; isBare: boolean }>> {
  const baseRef = request.base === undefined ? null : `refs/heads/${request.base}`;
  const { refs, defaultRef } = await repository.remoteRefs([ref, ...(baseRef === null ? [] : [baseRef])]);
  const tip = refs.get(ref) ?? null;
  const pin = info.source.kind === "git" && COMMIT.test(info.pin) ? info.pin : null;
  const base = refs.get(baseRef ?? "HEAD") ?? null;
  if (tip !== null) {
    if (!(await repository.fetch(tip)))
      return fail("CONFLICT", "the branch moved while it was read", { retryable: true });
    // Nobody's own work stands on a branch that ends where it began.
    return { ok: true, tip, parent: tip, isBare: tip === pin || tip === base };
  }
  if (pin !== null && (await repository.fetch(pin))) return { ok: true, tip, parent: pin, isBare: true };
  if (base === null && baseRef !== null && (refs.size > 0 || defaultRef !== null)) {
    return fail("NOT_FOUND", "the remote has no branch by the base's name");
  }
  if (base !== null && !(await repository.fetch(base))) {
    return fail("CONFLICT", "the base moved while it was read", { retryable: true });
  }
  return { ok: true, tip, parent: base, isBare: true };
}

/** Whether a commit is one of this workspace and its log as it stands, and up to which entry. */
function provenanceOf(
  message: string,
  workspaceId: string,
  entries: readonly LogEntry[],
): { mine: boolean; since: number } {
  const trailers = readTrailers(message);
  if (trailers === null || trailers.workspaceId !== workspaceId) return { mine: false, since: 0 };
  const { seq, hash } = trailers.log;
  const known: Head | undefined = seq === 0 ? GENESIS_HEAD : entries.find((entry) => entry.seq === seq);
  return known?.hash === hash ? { mine: true, since: seq } : { mine: false, since: 0 };
}

const isEngines = (path: string): boolean => path.startsWith(`${ENGINE_DIRECTORY}/`);
