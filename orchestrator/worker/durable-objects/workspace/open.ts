import { fail, type Result, type WorkspaceInfo, type WorkspaceSource } from "@shared/contracts";
import { canonicalText } from "patch-engine/core";
import { align, foreignHistory, restore, type RestoreParts, writeKeptTasks } from "./restore.ts";

/**
 * Opens the workspace from a source, or answers with the one already open from it. WORKSPACE_EXISTS where it was opened
 * from another; SOURCE_INVALID where the source cannot be read or is no longer what it was.
 */
export async function open(
  parts: RestoreParts,
  source: WorkspaceSource,
): Promise<Result<{ workspace: WorkspaceInfo }>> {
  const { meta, engine } = parts;
  if (meta.origin) {
    if (canonicalText(meta.origin.source) !== canonicalText(source)) {
      return fail("WORKSPACE_EXISTS", `workspace ${meta.workspaceId} is open from another source`);
    }
    return restore(parts);
  }
  const opened = await engine.open({ workspaceId: meta.workspaceId, source });
  if (!opened.ok) return opened;
  const foreign = foreignHistory(meta, opened.workspace);
  if (foreign) return foreign;
  // As the caller wrote it: asked again with the same words, it is the same.
  const treeHash = opened.workspace.head.seq === 0 ? opened.workspace.treeHash : null;
  meta.origin = { source, pin: opened.workspace.pin, treeHash };
  const tasks = await writeKeptTasks(parts);
  return tasks.ok ? align(parts, opened.workspace, meta.head) : tasks;
}
