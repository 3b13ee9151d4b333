import type { ErrorCode, PatchOperation, VibeError } from "@shared/contracts";

type Span = { start: number; end: number };
type Anchored = Extract<PatchOperation, { op: "replace-block" | "insert-before" | "insert-after" }>;

/**
 * The patch as it must be sent for the refusal not to come again, from nothing but the refused patch and its structured
 * error. Null where the error does not determine the fix.
 *
 * The text a patch expects is what it is looked for by: a patch that says none cannot be corrected, since any place
 * would be a guess.
 * - STALE_CONTENT, AMBIGUOUS_LOCATION, RANGE_OUT_OF_BOUNDS: of the error's `candidates`, else of the numbered lines in
 *   its `context`, those that hold the expected text; of several, the one strictly nearest to where the patch said.
 * - STALE_CONTENT of the whole file's hash, where the expected text does stand where the patch said: the hash is
 *   brought up to date. A `search-replace` or `replace-marker` is found by what it names, so its hash may follow, too.
 */
export function correctFromError(patch: PatchOperation, error: VibeError): PatchOperation | null {
  if (error.file !== undefined && patch.file !== "" && error.file !== patch.file) return null;
  if (!TELLS_THE_PLACE.has(error.code)) return null;
  return isAnchored(patch) ? placeAnew(patch, error) : refreshHash(patch, error);
}

const TELLS_THE_PLACE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "STALE_CONTENT",
  "AMBIGUOUS_LOCATION",
  "RANGE_OUT_OF_BOUNDS",
]);

const isAnchored = (patch: PatchOperation): patch is Anchored =>
  patch.op === "replace-block" || patch.op === "insert-before" || patch.op === "insert-after";

function placeAnew(patch: Anchored, error: VibeError): PatchOperation | null {
  const text = patch.expect?.text;
  if (text === undefined) return null;
  const place = nearest(placesOf(text, error), spanOf(patch));
  if (!place) return null;
  const moved = moveTo(patch, place);
  const hashIsStale = patch.expect?.sha256 !== undefined && error.currentSha256 !== undefined;
  const corrected = hashIsStale ? { ...moved, expect: { text, sha256: error.currentSha256 } } : moved;
  return isSame(corrected, patch) ? null : corrected;
}

/** What is found by its own name or text needs no place, only to believe in the file that stands there now. */
function refreshHash(patch: PatchOperation, error: VibeError): PatchOperation | null {
  if (patch.op !== "search-replace" && patch.op !== "replace-marker") return null;
  const { currentSha256 } = error;
  if (error.code !== "STALE_CONTENT" || currentSha256 === undefined) return null;
  if (patch.expect?.sha256 === undefined || patch.expect.sha256 === currentSha256) return null;
  // An expected text that the error shows to differ is a second belief, and it does not hold.
  if (error.firstDivergence) return null;
  return { ...patch, expect: { ...patch.expect, sha256: currentSha256 } };
}

const spanOf = (patch: Anchored): Span =>
  patch.op === "replace-block" ? { start: patch.start, end: patch.end } : { start: patch.line, end: patch.line };

const moveTo = (patch: Anchored, place: Span): Anchored =>
  patch.op === "replace-block" ? { ...patch, start: place.start, end: place.end } : { ...patch, line: place.start };

const isSame = (a: Anchored, b: Anchored): boolean =>
  spanOf(a).start === spanOf(b).start && spanOf(a).end === spanOf(b).end && a.expect?.sha256 === b.expect?.sha256;

const splitLines = (text: string): string[] => text.replace(/\r?\n$/, "").split(/\r?\n/);

/** Where the error shows the text to stand. A candidate that shows lines must show the wanted ones. */
function placesOf(text: string, { candidates, context }: VibeError): Span[] {
  const wanted = splitLines(text);
  if (candidates !== undefined && candidates.length > 0) {
    return candidates.filter(
      ({ start, end, lines }) =>
        end - start + 1 === wanted.length &&
        (lines === undefined || lines.every((line, i) => shows(line, wanted[i] ?? ""))),
    );
  }
  if (!context) return [];
  return context.lines.flatMap((_, at) => {
    if (!wanted.every((line, i) => shows(context.lines[at + i] ?? null, line))) return [];
    const start = context.startLine + at;
    return [{ start, end: start + wanted.length - 1 }];
  });
}

/** An error shows the beginning of a long line, ended by an ellipsis. */
const shows = (shown: string | null, line: string): boolean =>
  shown === line || (shown !== null && shown.endsWith("…") && line.startsWith(shown.slice(0, -1)));

/** The place strictly nearest to the declared one; null where two are equally near. */
function nearest(places: readonly Span[], declared: Span): Span | null {
  const distance = (place: Span): number => Math.abs(place.start - declared.start);
  const [first, second] = places.toSorted((a, b) => distance(a) - distance(b));
  if (!first || (second && distance(first) === distance(second))) return null;
  return { start: first.start, end: first.end };
}
