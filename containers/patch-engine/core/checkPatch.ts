import { vibeError, type VibeError } from "@shared/contracts";
import { addedTextHasNul, pathsOfPatch, type FilePatch } from "./expand.ts";
import { checkPath } from "./path.ts";

/** What can be said of a patch without its file; null where nothing is wrong. */
export function checkPatch(patch: FilePatch, pathVerdict: (path: string) => VibeError | null): VibeError | null {
  const illFormed = illFormedField(patch);
  if (illFormed !== null) return vibeError("ILL_FORMED_UNICODE", `${illFormed} holds a lone surrogate.`);
  if (patch.file === "") return pathVerdict("");
  for (const path of pathsOfPatch(patch)) {
    const forbidden = pathVerdict(path);
    if (forbidden) return forbidden;
  }
  switch (patch.op) {
    case "delete-file":
    case "rename-file":
      return null;
    case "apply-diff":
      return addedTextHasNul(patch) ? nulIn("The diff") : null;
    case "search-replace":
      return patch.replace.includes("\0") ? nulIn("The replacement") : null;
    case "replace-block":
    case "insert-before":
    case "insert-after":
    case "append":
    case "prepend":
    case "create-file":
    case "replace-marker":
      if (patch.blockFile !== undefined) {
        return vibeError("BLOCK_FILE_REFUSED", "Only patchctl reads blockFile: send its text as block.");
      }
      if (patch.block === undefined) return vibeError("MISSING_BLOCK", `${patch.op} needs a block.`);
      return patch.block.includes("\0") ? nulIn("The block") : null;
  }
}

/** `checkPath`, which asks each path once. */
export function pathChecker(): (path: string) => VibeError | null {
  const verdicts = new Map<string, VibeError | null>();
  return (path) => {
    let verdict = verdicts.get(path);
    if (verdict === undefined) {
      verdict = checkPath(path);
      verdicts.set(path, verdict);
    }
    return verdict;
  };
}

const nulIn = (what: string): VibeError =>
  vibeError("NUL_IN_CONTENT", `${what} holds a NUL character: it is not text.`);

function illFormedField(patch: FilePatch): string | null {
  if (!patch.file.isWellFormed()) return "file";
  if (patch.taskId !== undefined && !patch.taskId.isWellFormed()) return "taskId";
  if (patch.expect?.text !== undefined && !patch.expect.text.isWellFormed()) return "expect.text";
  switch (patch.op) {
    case "rename-file":
      return patch.to.isWellFormed() ? null : "to";
    case "search-replace":
      return patch.search.isWellFormed() ? (patch.replace.isWellFormed() ? null : "replace") : "search";
    case "apply-diff":
    case "delete-file":
      return null;
    case "replace-block":
    case "insert-before":
    case "insert-after":
    case "append":
    case "prepend":
    case "create-file":
    case "replace-marker":
      return patch.block === undefined || patch.block.isWellFormed() ? null : "block";
  }
}
