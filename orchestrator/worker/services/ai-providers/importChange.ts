import { fail, type PatchOperationInput, type Result } from "@shared/contracts";
import { type ImportNote, importPatches } from "patch-engine/import";
import type { ServiceContext } from "../../context.ts";
import { readFile } from "../workspace/readFile.ts";
import { MAX_CHANGE_BYTES, type ProviderChange } from "./driver.ts";

/** Files one change may speak of. */
const MAX_FILES = 300;

export interface ImportedChange {
  patches: PatchOperationInput[];
  /** What was read generously, for the record. */
  notes: ImportNote[];
}

/**
 * Turns a provider's change, of whatever form, into the operations of a batch against the workspace as it stands: a diff
 * as it is where it fits exactly, all else as the fewest edits of lines. Applies nothing. Needs `workspaces:read`.
 * Errors: IMPORT_INVALID where the text is not what its format says or changes nothing, BODY_TOO_LARGE, PATH_INVALID,
 * PATH_FORBIDDEN, AMBIGUOUS_LOCATION, STALE_CONTENT and what else cannot be placed, the engine's.
 */
export async function importChange(
  ctx: ServiceContext,
  input: { workspaceId: string; change: ProviderChange },
): Promise<Result<ImportedChange>> {
  const { workspaceId } = input;
  const { format, text } = input.change;
  if (Buffer.byteLength(text) > MAX_CHANGE_BYTES) {
    return fail("BODY_TOO_LARGE", `a change has at most ${MAX_CHANGE_BYTES} bytes`);
  }
  const files = new Map<string, string | null>();
  // The importer reads at once and a workspace does not: what it asks for and is not here yet is fetched, and it begins
  // again. Each round knows at least one file more.
  for (;;) {
    const missing = new Set<string>();
    const imported = importPatches(text, {
      format,
      readFile: (path) => {
        const content = files.get(path);
        if (content === undefined) missing.add(path);
        return { ok: true, content: content ?? null };
      },
    });
    if (missing.size === 0) {
      if (!imported.ok) return imported;
      const { batch, notes } = imported.imported;
      return { ok: true, patches: batch.patches, notes };
    }
    if (files.size + missing.size > MAX_FILES) {
      return fail("IMPORT_INVALID", `a change speaks of at most ${MAX_FILES} files`);
    }
    for (const path of missing) {
      const found = await readFile(ctx, { workspaceId, file: path });
      if (!found.ok && found.error.code !== "FILE_NOT_FOUND") return found;
      files.set(path, found.ok ? found.file.content : null);
    }
  }
}
