import type { FileMode, VibeError } from "@shared/contracts";
import { sha256 } from "./canonical.ts";
import type { FileDiff } from "./expand.ts";
import { FileState } from "./fileState.ts";
import { addedText, checkDeletion, placeDiff } from "./placeDiff.ts";
import type { Placed, TextToEdit } from "./resolve.ts";
import type { TextFile } from "./textFile.ts";

/** What a diff does to one file, once that file is known. */
export type DiffAction =
  | { kind: "make"; content: string; mode: FileMode; moved: number }
  | { kind: "delete" }
  | { kind: "edit"; placed: Placed[]; moved: number; mode: FileMode | null; to: string | null };

/** A file to copy from, or why there is none. */
export type Source = { text: TextFile; mode: FileMode } | { error: VibeError };

/** `target` is the file of the patch as it stands; `sourceOf` finds the one that a copy is made of. */
export function diffAction(
  { text: diff, change }: NonNullable<FileDiff["part"]>,
  target: TextToEdit,
  owner: number,
  sourceOf: (path: string) => Source,
): { ok: true; action: DiffAction } | { ok: false; error: VibeError } {
  switch (change.kind) {
    case "create": {
      const mode = change.mode ?? "100644";
      return { ok: true, action: { kind: "make", content: addedText(diff, change), mode, moved: 0 } };
    }
    case "copy": {
      const source = sourceOf(change.path);
      if ("error" in source) return { ok: false, error: source.error };
      const { text } = source;
      const from = { file: change.path, text, sha256: () => sha256(text.bytes) };
      const resolved = placeDiff(diff, change, from, owner);
      if (!resolved.ok) return resolved;
      const copy = new FileState(change.to, null, text);
      // Hunks of one file never clash: each stands behind the one before.
      copy.edit(resolved.placed);
      const content = copy.text.bytes.toString();
      return { ok: true, action: { kind: "make", content, mode: change.mode ?? source.mode, moved: resolved.moved } };
    }
    case "delete": {
      const error = checkDeletion(diff, change, target);
      return error ? { ok: false, error } : { ok: true, action: { kind: "delete" } };
    }
    case "edit":
    case "rename": {
      const resolved = placeDiff(diff, change, target, owner);
      if (!resolved.ok) return resolved;
      const { placed, moved } = resolved;
      const to = change.kind === "rename" ? change.to : null;
      return { ok: true, action: { kind: "edit", placed, moved, mode: change.mode, to } };
    }
  }
}
