import {
  fail,
  type FileGenerationOutputType,
  type FileOutputType,
  type PatchBatchInput,
  type PatchOperationInput,
  type PatchOpsRpc,
  type Result,
} from "@shared/contracts";
import type { CoordResolver, FileCoordinates, MarkerPlace } from "./coordResolver.ts";
import { changesToPatches, lineChanges, linesOf } from "./lineEdits.ts";

/** A generated file; `format` says whether its contents are the whole file, where the generator knows. */
export type GeneratedFile = FileOutputType & Partial<Pick<FileGenerationOutputType, "format">>;

export type FileReader = (filePath: string) => Promise<Result<{ content: string }>>;

export const fileReader =
  (patchOps: Pick<PatchOpsRpc, "readFile">, workspaceId: string): FileReader =>
  async (file) => {
    const read = await patchOps.readFile({ workspaceId, file });
    return read.ok ? { ok: true, content: read.file.content } : read;
  };

export interface BridgedPhase {
  /** Without patches where every file stands as generated: such a batch is not to be sent. */
  batch: PatchBatchInput;
  /** Files that need no patch. */
  unchanged: string[];
}

/**
 * Turns a phase's generated files into surgical patches.
 * - A new file becomes `create-file` (the documents say `prepend`, which comes to the same but hides that a file of
 *   that name appeared meanwhile).
 * - A file with markers gets its content in place of the first marker's span, and further content of the same file in
 *   place of the next one's; `openSpace` keeps a blank line around it.
 * - A file without a marker is never inserted into itself. Contents that stand in it already are no patch; the file
 *   generated anew becomes the fewest line edits, each with the text it expects; contents that share no line with it
 *   are an addition and go before line N+1; anything between is refused with AMBIGUOUS_LOCATION, since taking it for
 *   one or the other would lose or double code.
 *
 * `format: "full_content"` settles that the contents are the whole file. `unified_diff` becomes `apply-diff` of that
 * file alone: the engine says where it does not fit.
 */
export async function filesToPatches(
  phase: { files: readonly GeneratedFile[] },
  coordResolver: CoordResolver,
  readFile: FileReader,
): Promise<Result<BridgedPhase>> {
  const patches: PatchOperationInput[] = [];
  const unchanged: string[] = [];
  const seen = new Map<string, number>();
  for (const file of phase.files) {
    const nth = seen.get(file.filePath) ?? 0;
    seen.set(file.filePath, nth + 1);
    const bridged = await fileToPatches(file, nth, coordResolver, readFile);
    if (!bridged.ok) return bridged;
    if (bridged.patches.length === 0) unchanged.push(file.filePath);
    patches.push(...bridged.patches);
  }
  return { ok: true, batch: { requester: "factory-agent", reason: "phase-implementation", patches }, unchanged };
}

type Patches = Result<{ patches: PatchOperationInput[] }>;

async function fileToPatches(
  file: GeneratedFile,
  nth: number,
  coordResolver: CoordResolver,
  readFile: FileReader,
): Promise<Patches> {
  if (file.format === "unified_diff") {
    return one({ op: "apply-diff", file: file.filePath, diff: file.fileContents });
  }
  const resolved = await coordResolver(file.filePath);
  if (!resolved.ok) return resolved;
  if (resolved.coordinates.mode === "new") {
    return nth === 0
      ? one({ op: "create-file", file: file.filePath, block: file.fileContents })
      : ambiguous(file.filePath, "is generated twice in one phase and does not exist yet");
  }
  const current = await readFile(file.filePath);
  if (!current.ok) return current;
  return intoExisting(file, nth, resolved, linesOf(current.content));
}

function intoExisting(file: GeneratedFile, nth: number, resolved: FileCoordinates, current: string[]): Patches {
  const wanted = linesOf(file.fileContents);
  const asWhole = (): Patches =>
    nth === 0
      ? { ok: true, patches: changesToPatches(file.filePath, current, lineChanges(current, wanted)) }
      : ambiguous(file.filePath, "is generated as a whole more than once in one phase");

  if (file.format === "full_content") return asWhole();
  const place = placeOf(resolved, nth);
  if (place) return surrounds(wanted, current, place) ? asWhole() : one(fill(file, place));
  if (resolved.places.length > 0) {
    return ambiguous(file.filePath, `is generated ${nth + 1} times, but has fewer markers`);
  }
  switch (kinship(current, wanted)) {
    case "stands":
      return { ok: true, patches: [] };
    case "whole":
      return asWhole();
    case "addition":
      return one({
        op: "insert-before",
        file: file.filePath,
        line: current.length + 1,
        block: file.fileContents,
        openSpace: true,
      });
    case "unclear":
      return ambiguous(
        file.filePath,
        "exists, has no marker, and shares lines with the generated contents without being the same file: " +
          'say format "full_content", or give the file a marker',
      );
  }
}

const one = (patch: PatchOperationInput): Patches => ({ ok: true, patches: [patch] });

const ambiguous = (file: string, why: string): Patches => fail("AMBIGUOUS_LOCATION", `${file} ${why}`, { file });

function placeOf({ coordinates, places }: FileCoordinates, nth: number): MarkerPlace | undefined {
  if (places.length > 0) return places[nth];
  return nth === 0 && "span" in coordinates ? { marker: null, span: coordinates.span } : undefined;
}

function fill(
  { filePath: file, fileContents: block }: GeneratedFile,
  { marker, span }: MarkerPlace,
): PatchOperationInput {
  return marker === null
    ? { op: "replace-block", file, ...span, block, openSpace: true }
    : { op: "replace-marker", file, marker, block, openSpace: true };
}

const isSignificant = (line: string): boolean => /[\p{L}\p{N}]/u.test(line);

/** Whether the contents hold all that stands around the marker, and so are the file itself and not its filling. */
function surrounds(wanted: readonly string[], current: readonly string[], { span }: MarkerPlace): boolean {
  const before = current.slice(0, span.start - 1);
  const after = current.slice(span.end);
  if (![...before, ...after].some(isSignificant) || wanted.length < before.length + after.length) return false;
  const tail = wanted.slice(wanted.length - after.length);
  return before.every((line, at) => wanted[at] === line) && after.every((line, at) => tail[at] === line);
}

/**
 * What the contents are to a file that has no marker. A line counts when it holds a letter or a digit: a lone brace
 * says nothing. `stands`: they are in it, line by line. `whole`: they keep at least half of its lines, in order.
 * `addition`: they share none.
 */
function kinship(current: readonly string[], wanted: readonly string[]): "stands" | "whole" | "addition" | "unclear" {
  if (standsIn(current, wanted)) return "stands";
  const lines = current.filter(isSignificant);
  const shared = new Set(lines);
  if (!wanted.some((line) => isSignificant(line) && shared.has(line))) return "addition";
  const lost = lineChanges(current, wanted).flatMap(({ removed }) => removed.filter(isSignificant));
  return lost.length * 2 <= lines.length ? "whole" : "unclear";
}

function standsIn(current: readonly string[], wanted: readonly string[]): boolean {
  let end = wanted.length;
  while (end > 0 && wanted[end - 1]?.trim() === "") end--;
  const needle = wanted.slice(
    wanted.findIndex((line) => line.trim() !== ""),
    end,
  );
  if (end === 0) return true;
  return current.some((_, at) => needle.every((line, i) => current[at + i] === line));
}
