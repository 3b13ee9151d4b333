import type { Result, Task } from "@shared/contracts";
import picomatch from "picomatch";
import type { ServiceContext } from "../../../context.ts";
import { readFile } from "../../workspace/readFile.ts";
import { askEngine, resolveWorkspace } from "../../workspace/workspaceObject.ts";

/** Text of one file, and of all, in UTF-8. */
const MAX_FILE_BYTES = 64 * 1024;
const MAX_BYTES = 192 * 1024;
const MAX_FILES = 40;
/** Names of files whose text is not given. */
const MAX_NAMED = 400;
const NOT_TEXT = new Set([
  "BINARY_FILE",
  "NOT_UTF8",
  "NUL_IN_CONTENT",
  "FILE_TOO_LARGE",
  "NOT_A_REGULAR_FILE",
  "FILE_NOT_FOUND",
]);

export interface ScopedFiles {
  files: { path: string; content: string }[];
  /** In the task's scope too, for which there was no room, or which hold no text. */
  others: string[];
}

/**
 * The files a task may edit, as a model is given them: those that the prompt speaks of first, then those the task names
 * outright, then by path. Errors: those of the engine.
 */
export async function scopedFiles(
  ctx: ServiceContext,
  input: { workspaceId: string; task: Pick<Task, "allowed">; prompt: string },
): Promise<Result<ScopedFiles>> {
  const resolved = await resolveWorkspace(ctx, { workspaceId: input.workspaceId });
  if (!resolved.ok) return resolved;
  const { workspaceId } = resolved;
  const listed = await askEngine(ctx, workspaceId, (engine) => engine.manifest(workspaceId));
  if (!listed.ok) return listed;

  const globs = input.task.allowed.map(({ files }) => files);
  // As the gate that will judge the patches reads them.
  const isInScope = picomatch(globs, { dot: true });
  const rank = (path: string): number => {
    if (input.prompt.includes(path)) return 0;
    return globs.includes(path) ? 1 : 2;
  };
  const paths = listed.manifest.files
    .map(({ path }) => path)
    .filter((path) => isInScope(path))
    .toSorted((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));

  const files: ScopedFiles["files"] = [];
  const others: string[] = [];
  let bytes = 0;
  for (const path of paths) {
    const found =
      files.length < MAX_FILES && bytes < MAX_BYTES ? await readFile(ctx, { workspaceId, file: path }) : null;
    if (found && !found.ok && !NOT_TEXT.has(found.error.code)) return found;
    const size = found?.ok ? Buffer.byteLength(found.file.content) : Infinity;
    if (found?.ok && size <= MAX_FILE_BYTES && bytes + size <= MAX_BYTES) {
      bytes += size;
      files.push({ path, content: found.file.content });
    } else if (others.length < MAX_NAMED) others.push(path);
    else break;
  }
  return { ok: true, files, others };
}
