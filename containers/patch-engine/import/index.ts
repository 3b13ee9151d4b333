import { Buffer } from "node:buffer";
import {
  fail,
  MAX_BATCH_BYTES,
  PatchBatchSchema,
  type Failed,
  type PatchBatchInput,
  type Result,
  validationError,
} from "@shared/contracts";
import { pathsOf, planBatch, sha256, type FileSnapshot } from "../core/index.ts";
import { parseDiff } from "../core/parseDiff.ts";
import { readApplyPatch } from "./applyPatch.ts";
import { Refused, textLines, type Draft } from "./draft.ts";
import { readEditTool } from "./editTool.ts";
import { readFiles } from "./files.ts";
import { contentOf, operationsOf, Unreadable, type FileReader, type ImportNote } from "./operations.ts";
import { readSearchReplace } from "./searchReplace.ts";
import { diffLines, readUdiff } from "./udiff.ts";

export type { FileReader, ImportNote } from "./operations.ts";

export const IMPORT_FORMATS = ["udiff", "search-replace", "apply-patch", "files", "edit-tool"] as const;
export type ImportFormat = (typeof IMPORT_FORMATS)[number];

export interface ImportOptions {
  /** `auto`: the one format of which the text bears the marks. */
  format: ImportFormat | "auto";
  /** The current files, by paths that a workspace may have. */
  readFile: FileReader;
  /** A whole file that changes more than this share of its lines, in percent, is flagged. Default 50. */
  maxRewritePercent?: number;
}

export interface Imported {
  format: ImportFormat;
  batch: PatchBatchInput & { patches: NonNullable<PatchBatchInput["patches"]> };
  notes: ImportNote[];
}

/**
 * Turns what a model wrote into a batch, and plans that against the current files, so that a location that is not
 * certain is refused here. IMPORT_INVALID with the line and what was expected there; AMBIGUOUS_LOCATION with candidates,
 * STALE_CONTENT with the first difference, FILE_NOT_FOUND, FILE_EXISTS, and whatever else planning refuses.
 */
export function importPatches(text: string, options: ImportOptions): Result<{ imported: Imported }> {
  if (Buffer.byteLength(text) > MAX_BATCH_BYTES)
    return fail("BODY_TOO_LARGE", `A text to import is at most ${MAX_BATCH_BYTES} bytes.`);
  if (!text.isWellFormed()) return fail("ILL_FORMED_UNICODE", "The text holds a lone surrogate.");
  const { readFile, maxRewritePercent = 50 } = options;
  const lines = textLines(text);
  try {
    const format = options.format === "auto" ? formatOf(text, lines) : options.format;
    if (format === "udiff") {
      const exact = importExact(lines, text, readFile);
      if (exact) return { ok: true, imported: { format, batch: exact, notes: [] } };
    }
    const drafted = operationsOf(read(format, text, lines), readFile, maxRewritePercent);
    if (!drafted.ok) return drafted;
    const { patches, notes } = drafted;
    if (patches.length === 0) return fail("IMPORT_INVALID", "The files are already as the text would make them.");
    const batch = { patches };
    const refused = refusalOf(batch, readFile);
    return refused ?? { ok: true, imported: { format, batch, notes } };
  } catch (error) {
    if (error instanceof Unreadable) return { ok: false, error: error.error };
    if (!(error instanceof Refused)) throw error;
    const { line, message } = error;
    const shown = (lines[line - 1] ?? "").slice(0, 240).toWellFormed();
    return fail(
      "IMPORT_INVALID",
      `Line ${line}: ${message}${shown === "" ? "" : `; found ${JSON.stringify(shown)}`}.`,
      {
        findings: [{ line, message }],
      },
    );
  }
}

/** A diff without a fault goes through as it is: names, modes and endings as it has them. */
function importExact(lines: readonly string[], text: string, readFile: FileReader): Imported["batch"] | null {
  const found = diffLines(lines);
  const diff = found.isFenced ? `${found.lines.map((line) => line.text).join("\n")}\n` : text;
  if (!parseDiff(diff).ok) return null;
  const batch: Imported["batch"] = { patches: [{ op: "apply-diff", diff }] };
  return refusalOf(batch, readFile) ? null : batch;
}

function refusalOf(input: PatchBatchInput, readFile: FileReader): Failed | null {
  const parsed = PatchBatchSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const batch = parsed.data;
  const files = new Map<string, FileSnapshot | null>();
  for (const path of pathsOf(batch)) {
    const content = contentOf(readFile, path);
    const bytes = content === null ? null : Buffer.from(content);
    files.set(path, bytes && { bytes, sha256: sha256(bytes), mode: "100644" });
  }
  const planned = planBatch(batch, files, { mintPatchId: (index) => `p${index + 1}` });
  return planned.ok ? null : { ok: false, error: planned.error };
}

function read(format: ImportFormat, text: string, lines: readonly string[]): Draft[] {
  switch (format) {
    case "udiff":
      return readUdiff(lines);
    case "search-replace":
      return readSearchReplace(lines);
    case "apply-patch":
      return readApplyPatch(lines);
    case "files":
      return readFiles(text, lines);
    case "edit-tool":
      return readEditTool(text);
  }
}

/** The format whose marks a text bears; refused where it bears none, or those of two. */
function formatOf(text: string, lines: readonly string[]): ImportFormat {
  const first = text.trimStart()[0];
  if (first === "{" || first === "[") {
    return /"(?:command|input|old_str|old_string|edits|tool_calls|tool_use|arguments|operation|patch|insert_line)"\s*:/.test(
      text,
    ) || text.includes("*** Begin Patch")
      ? "edit-tool"
      : "files";
  }
  const marks: [ImportFormat, number][] = [
    ["apply-patch", lines.findIndex((line) => line.trim() === "*** Begin Patch")],
    ["search-replace", lines.findIndex((line) => /^<{5,9} ?(?:SEARCH|ORIGINAL)/.test(line.slice(0, 40)))],
    [
      "udiff",
      lines.findIndex(
        (line, i) =>
          line.startsWith("diff --git ") || (line.startsWith("--- ") && (lines[i + 1] ?? "").startsWith("+++ ")),
      ),
    ],
  ];
  const found = marks.filter(([, line]) => line !== -1).toSorted(([, a], [, b]) => a - b);
  const [one, other] = found;
  if (one && other)
    throw new Refused(other[1] + 1, `the text is of two formats, ${one[0]} and ${other[0]}: name the one it is`);
  if (one) return one[0];
  if (lines.some((line) => /^ {0,3}(?:`{3}|~{3})/.test(line))) return "files";
  throw new Refused(1, "expected a diff, SEARCH/REPLACE blocks, `*** Begin Patch`, fenced files or JSON");
}
