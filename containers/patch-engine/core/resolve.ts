import { Buffer } from "node:buffer";
import { fail, type PatchOperation, type Result } from "@shared/contracts";
import { Block, withEol } from "./block.ts";
import { candidate, contextAround, countOf, MAX_CANDIDATES } from "./context.ts";
import { followText } from "./expect.ts";
import { findMarkersIn } from "./markers.ts";
import { occurrencesOf } from "./search.ts";
import type { Eol, TextFile } from "./textFile.ts";

/** An operation that edits text; the others make, remove and rename files. */
export type TextOperation = Extract<
  PatchOperation,
  {
    op: "replace-block" | "insert-before" | "insert-after" | "append" | "prepend" | "search-replace" | "replace-marker";
  }
>;

/** Where one operation acts on a text. Lines are 1-based and inclusive; a gap is the line it stands before. */
export type Placed = { owner: number } & (
  | { kind: "insert"; gap: number; block: Block; openSpace: boolean }
  | { kind: "replace"; first: number; last: number; block: Block; openSpace: boolean }
  | { kind: "delete"; first: number; last: number }
  /** `changesEnd`: after it a newline ends the file and before none did, or the other way round. */
  | { kind: "bytes"; start: number; end: number; text: Buffer; changesEnd?: boolean }
);

export interface TextToEdit {
  file: string;
  text: TextFile;
  /** SHA-256 of the text, for errors: made only when one is. */
  sha256: () => string;
}

export type Resolved = Result<{ placed: Placed[]; moved: number }>;

/**
 * Finds where an operation acts on a text, and follows text that has moved where the operation says what it expects.
 * RANGE_OUT_OF_BOUNDS, STALE_CONTENT, AMBIGUOUS_LOCATION, MARKER_NOT_FOUND, SEARCH_NOT_FOUND, SEARCH_COUNT_MISMATCH.
 */
export function resolve(patch: TextOperation, target: TextToEdit, owner: number): Resolved {
  const { text } = target;
  switch (patch.op) {
    case "replace-block": {
      const located = locate(patch, target, { first: patch.start, count: patch.end - patch.start + 1 });
      if (!located.ok) return located;
      const last = located.first + patch.end - patch.start;
      return replaceLines(patch, owner, located.first, last, located.moved);
    }
    case "insert-before":
    case "insert-after": {
      const located = locate(patch, target, { first: patch.line, count: 1 });
      if (!located.ok) return located;
      const gap = patch.op === "insert-before" ? located.first : located.first + 1;
      return insertAt(patch, owner, gap, located.moved);
    }
    case "append":
    case "prepend": {
      const anchor = patch.op === "append" ? text.lineCount : 1;
      const stale = expectAt(patch, target, anchor, 1);
      return stale ?? insertAt(patch, owner, patch.op === "append" ? text.lineCount + 1 : 1, 0);
    }
    case "replace-marker":
      return replaceMarker(patch, target, owner);
    case "search-replace":
      return searchReplace(patch, target, owner);
  }
}

type BlockPatch = { block?: string | undefined; openSpace?: boolean };

function insertAt(patch: BlockPatch, owner: number, gap: number, moved: number): Resolved {
  const block = new Block(patch.block ?? "");
  const placed: Placed = { owner, kind: "insert", gap, block, openSpace: patch.openSpace ?? false };
  return { ok: true, placed: [placed], moved };
}

/** Lines replaced by a block; an empty block deletes them. */
function replaceLines(patch: BlockPatch, owner: number, first: number, last: number, moved: number): Resolved {
  const block = new Block(patch.block ?? "");
  const placed: Placed = block.isEmpty
    ? { owner, kind: "delete", first, last }
    : { owner, kind: "replace", first, last, block, openSpace: patch.openSpace ?? false };
  return { ok: true, placed: [placed], moved };
}

/** The lines of a range, where its text has moved to, or why they are not there. */
function locate(
  patch: Extract<PatchOperation, { op: "replace-block" | "insert-before" | "insert-after" }>,
  { file, text, sha256 }: TextToEdit,
  range: { first: number; count: number },
): Result<{ first: number; moved: number }> {
  if (patch.expect?.text !== undefined) return followText(file, text, sha256, patch.expect.text, range);
  const last = range.first + range.count - 1;
  const reach = patch.op === "insert-before" ? text.lineCount + 1 : text.lineCount;
  if (last <= reach) return { ok: true, first: range.first, moved: 0 };
  const asked = range.count === 1 ? `line ${last}` : `lines ${range.first}–${last}`;
  const allowed = patch.op === "insert-before" ? `; insert-before takes 1 to ${reach}` : "";
  return fail("RANGE_OUT_OF_BOUNDS", `${file} has ${countOf(text.lineCount, "line")}, not ${asked}${allowed}.`, {
    file,
    currentSha256: sha256(),
    ...contextAround(text, last),
  });
}

/** For operations whose place does not follow their text: the text must stand where it is expected. */
export function expectAt(
  patch: Pick<PatchOperation, "expect">,
  { file, text, sha256 }: TextToEdit,
  first: number,
  count: number,
): Extract<Resolved, { ok: false }> | null {
  const expected = patch.expect?.text;
  if (expected === undefined) return null;
  if (text.lineCount === 0 && expected === "") return null;
  const located = followText(file, text, sha256, expected, { first, count });
  if (!located.ok) return located;
  if (located.moved === 0) return null;
  return fail("STALE_CONTENT", `The expected text stands at line ${located.first} of ${file}, not at line ${first}.`, {
    file,
    currentSha256: sha256(),
    ...contextAround(text, first),
    candidates: [candidate(text, located.first, located.first + count - 1)],
  });
}

function replaceMarker(
  patch: Extract<PatchOperation, { op: "replace-marker" }>,
  target: TextToEdit,
  owner: number,
): Resolved {
  const { file, text, sha256 } = target;
  const markers = findMarkersIn(file, text);
  const named = markers.filter(({ name }) => name === patch.marker);
  const [marker] = named;
  if (!marker) {
    const names = [...new Set(markers.map(({ name }) => name))].slice(0, MAX_CANDIDATES);
    const has = names.length > 0 ? `its markers are ${names.join(", ")}` : "it has none";
    return fail("MARKER_NOT_FOUND", `${file} has no marker ${patch.marker}; ${has}.`, {
      file,
      currentSha256: sha256(),
      ...(markers.length > 0
        ? { candidates: markers.slice(0, MAX_CANDIDATES).map(({ span }) => candidate(text, span.start, span.end)) }
        : {}),
    });
  }
  if (named.length > 1) {
    return fail("AMBIGUOUS_LOCATION", `${file} has the marker ${patch.marker} ${named.length} times.`, {
      file,
      currentSha256: sha256(),
      candidates: named.slice(0, MAX_CANDIDATES).map(({ span }) => candidate(text, span.start, span.end)),
    });
  }
  const { start, end } = marker.span;
  const stale = expectAt(patch, target, start, end - start + 1);
  if (stale) return stale;
  if (!patch.keepMarkers) return replaceLines(patch, owner, start, end, 0);
  // Both marker lines stay: there is something between them to replace, or only a gap after the opening one.
  return end - start >= 2 ? replaceLines(patch, owner, start + 1, end - 1, 0) : insertAt(patch, owner, start + 1, 0);
}

function searchReplace(
  patch: Extract<PatchOperation, { op: "search-replace" }>,
  { file, text, sha256 }: TextToEdit,
  owner: number,
): Resolved {
  if (patch.expect?.text !== undefined && withEol(patch.expect.text, "\n") !== withEol(patch.search, "\n")) {
    return fail("STALE_CONTENT", "The expected text is not the text that is searched for.", {
      file,
      currentSha256: sha256(),
    });
  }
  const found = occurrencesOf(text, patch.search);
  if (found.length === patch.expectedCount) {
    const placed = found.map(({ start, end }): Placed => {
      const eol = eolNear(text, text.lineAt(start), text.lineAt(start));
      return { owner, kind: "bytes", start, end, text: Buffer.from(withEol(patch.replace, eol)) };
    });
    return { ok: true, placed, moved: 0 };
  }
  if (found.length === 0) {
    return fail("SEARCH_NOT_FOUND", `The searched text does not stand in ${file}.`, {
      file,
      currentSha256: sha256(),
      ...nearestTo(text, patch.search),
    });
  }
  return fail(
    "SEARCH_COUNT_MISMATCH",
    `The searched text stands ${countOf(found.length, "time")} in ${file}, expected ${patch.expectedCount}.`,
    {
      file,
      currentSha256: sha256(),
      candidates: found.slice(0, MAX_CANDIDATES).map(({ start, end }) => {
        return candidate(text, text.lineAt(start), text.lineAt(Math.max(start, end - 1)));
      }),
    },
  );
}

/** Where the first line of a search stands that was not found whole: most likely what was meant. */
function nearestTo(text: TextFile, search: string): Pick<Extract<Resolved, { ok: false }>["error"], "candidates"> {
  const lines = search.split("\n").map((line) => line.trim());
  const first = lines.findIndex((line) => line !== "");
  const wanted = lines[first];
  if (wanted === undefined) return {};
  const candidates = [];
  for (const { start } of occurrencesOf(text, wanted).slice(0, MAX_CANDIDATES)) {
    const line = Math.max(1, text.lineAt(start) - first);
    candidates.push(candidate(text, line, Math.min(line + lines.length - 1, Math.max(line, text.lineCount))));
  }
  return candidates.length > 0 ? { candidates } : {};
}

/**
 * The line ending of what replaces lines `first`…`last`, or is inserted before `first` (then `last` is `first` - 1):
 * that of the replaced lines, else of the line before, else of the one after; LF where there is none.
 */
export function eolNear(text: TextFile, first: number, last: number): Eol {
  const own = last >= first ? text.eolOf(first) : null;
  return own ?? text.eolOf(first - 1) ?? text.eolOf(last + 1) ?? text.eolOf(first - 2) ?? "\n";
}
