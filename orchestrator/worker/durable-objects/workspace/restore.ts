import { fail, type Head, type Result, TasksFileSchema, type WorkspaceInfo } from "@shared/contracts";
import type { Engine } from "../../integrations/engine.ts";
import type { EngineLog } from "./EngineLog.ts";
import type { Meta } from "./Meta.ts";
import type { Texts } from "./Texts.ts";

/** Log entries asked of a host at once. */
const LOG_PAGE = 100;

export interface RestoreParts {
  meta: Meta;
  log: EngineLog;
  texts: Texts;
  engine: Engine;
  /** Runs storage work as one transaction. */
  commit: <T>(work: () => T) => T;
}

/**
 * Brings this object and the engine to the same log. A host that lost its disk is opened again from source and pin and
 * replays the entries held here; a host that is ahead is read up to its head. Refuses with CHAIN_BROKEN where the two
 * logs differ, TREE_MISMATCH where replay makes another tree, WORKSPACE_NOT_FOUND where nobody knows the workspace.
 */
export async function restore(parts: RestoreParts): Promise<Result<{ workspace: WorkspaceInfo }>> {
  const { meta, engine } = parts;
  // As it is now: a batch that lands while the engine is asked must not look like an entry that the engine lost.
  const known = meta.head;
  const described = await engine.describe(meta.workspaceId);
  if (described.ok) return align(parts, described.workspace, known);
  if (described.error.code !== "WORKSPACE_NOT_FOUND" || !meta.origin) return described;

  const { source, pin } = meta.origin;
  const opened = await engine.open({ workspaceId: meta.workspaceId, source, pin });
  if (!opened.ok) return opened;
  const tasks = await writeKeptTasks(parts);
  if (!tasks.ok) return tasks;
  return align(parts, opened.workspace, known);
}

/** Writes at the engine what the workspace's tasks may touch, where that is known here. */
export async function writeKeptTasks({ meta, texts, engine }: RestoreParts): Promise<Result<object>> {
  const tasks = texts.read("tasks");
  if (tasks === null) return { ok: true };
  return engine.writeTasks(meta.workspaceId, TasksFileSchema.parse(JSON.parse(tasks)));
}

/** Makes the log on record and that of an open workspace the same, from whichever is ahead of `known`, the head on record. */
export async function align(
  parts: RestoreParts,
  workspace: WorkspaceInfo,
  known: Head,
): Promise<Result<{ workspace: WorkspaceInfo }>> {
  const { meta, log } = parts;
  const foreign = foreignHistory(meta, workspace);
  if (foreign) return foreign;
  // The tree before the first entry is known only while there is none, or from the first entry itself.
  if (!meta.origin) {
    const { source, pin } = workspace;
    meta.origin = { source, pin, treeHash: workspace.head.seq === 0 ? workspace.treeHash : null };
  }
  if (workspace.head.seq < known.seq) return replay(parts, workspace);
  if (workspace.head.seq > meta.head.seq) {
    const caughtUp = await catchUp(parts);
    if (!caughtUp.ok) return caughtUp;
  }
  return workspace.head.seq === 0 || log.hashAt(workspace.head.seq) === workspace.head.hash
    ? { ok: true, workspace }
    : fail("CHAIN_BROKEN", `the engine's log has another entry ${workspace.head.seq}`);
}

/**
 * A history that was only reported is a record, not a source: what a host does not hold of it is never carried out there,
 * or whoever may report could write through a replay, where no gate stands.
 */
export function foreignHistory({ origin, head }: Pick<Meta, "origin" | "head">, workspace: WorkspaceInfo) {
  return origin === null && workspace.head.seq < head.seq
    ? fail("CHAIN_BROKEN", "an engine that stood alone has reported another history of this workspace")
    : null;
}

/** Sends the entries a host lacks. Each page names the tree it must leave, so a wrong one stops there. */
async function replay(
  { meta, log, engine }: RestoreParts,
  workspace: WorkspaceInfo,
): Promise<Result<{ workspace: WorkspaceInfo }>> {
  let { head, treeHash } = workspace;
  if (head.seq > 0 && log.hashAt(head.seq) !== head.hash) {
    return fail("CHAIN_BROKEN", `the engine's log has another entry ${head.seq}`);
  }
  while (head.seq < meta.head.seq) {
    const page = log.pageAfter(head.seq);
    const last = page.at(-1);
    if (!last) return fail("CHAIN_BROKEN", `entry ${head.seq + 1} is not on record`);
    const replayed = await engine.replay(workspace.workspaceId, page, last.treeAfter);
    if (!replayed.ok) return replayed;
    if (replayed.head.seq <= head.seq) return fail("CHAIN_BROKEN", "the engine took the entries and did not move");
    ({ head, treeHash } = replayed);
  }
  return treeHash === log.treeHash()
    ? { ok: true, workspace: { ...workspace, head, treeHash } }
    : fail("TREE_MISMATCH", "the rebuilt workspace is not the one on record");
}

/** Takes in everything an engine did on its own. */
export async function catchUp({ meta, log, engine, commit }: RestoreParts): Promise<Result<object>> {
  for (;;) {
    const page = await engine.log(meta.workspaceId, meta.head.seq, LOG_PAGE);
    if (!page.ok) return page;
    if (page.entries.length === 0) return { ok: true };
    const ingested = commit(() => log.ingest(page.entries));
    if (!ingested.ok) return ingested;
  }
}
