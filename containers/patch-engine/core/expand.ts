import { vibeError, type Failed, type PatchBatch, type PatchOperation } from "@shared/contracts";
import { parseDiff, type FileChange } from "./parseDiff.ts";
import type { TextFile } from "./textFile.ts";

type ApplyDiff = Extract<PatchOperation, { op: "apply-diff" }>;

/** What a diff does to one of its files; without `part` where the diff could not be read. */
export type FileDiff = Omit<ApplyDiff, "diff"> & { part: { text: TextFile; change: FileChange } | null };

/** An operation on one file. */
export type FilePatch = Exclude<PatchOperation, { op: "apply-diff" }> | FileDiff;

/** A patch as it is planned and logged. `error` where it is already known that it cannot be. */
export interface ExpandedPatch {
  id: string;
  patch: FilePatch;
  error: Failed["error"] | null;
}

/** The batch's operations, each `apply-diff` in one a file with the ids `id.1` to `id.n`. */
export function expandBatch(
  batch: Pick<PatchBatch, "patches">,
  mintPatchId: (index: number) => string,
): ExpandedPatch[] {
  const expanded: ExpandedPatch[] = [];
  for (const [index, patch] of batch.patches.entries()) {
    const id = patch.id ?? mintPatchId(index);
    if (patch.op === "apply-diff") expanded.push(...expandDiff(patch, id));
    else expanded.push({ id, patch, error: null });
  }
  return expanded;
}

/** The longest patch id, that of one file of a diff included. */
const MAX_PATCH_ID = 128;

function expandDiff(patch: ApplyDiff, id: string): ExpandedPatch[] {
  const { diff, ...rest } = patch;
  const refuse = (error: Failed["error"]): ExpandedPatch[] => [{ id, patch: { ...rest, part: null }, error }];
  if (!diff.isWellFormed()) return refuse(vibeError("ILL_FORMED_UNICODE", "diff holds a lone surrogate."));
  if (patch.expect?.text !== undefined) {
    return refuse(
      vibeError("VALIDATION_FAILED", "apply-diff takes no expect.text: its context lines say what it expects."),
    );
  }
  const parsed = parse(patch);
  if (!parsed.ok) return refuse(parsed.error);
  const { text, files } = parsed.diff;
  if (files.length > 1 && patch.expect?.sha256 !== undefined) {
    return refuse(vibeError("VALIDATION_FAILED", "expect.sha256 is of one file, and the diff is of several."));
  }
  const last = `${id}.${files.length}`;
  if (last.length > MAX_PATCH_ID) {
    return refuse(vibeError("VALIDATION_FAILED", `The id ${last} would be longer than ${MAX_PATCH_ID} characters.`));
  }
  return files.map((change, i) => ({
    id: `${id}.${i + 1}`,
    patch: {
      ...rest,
      id: undefined,
      file: change.kind === "copy" ? change.to : change.path,
      part: { text, change },
    },
    error: null,
  }));
}

type Parsed = ReturnType<typeof parseDiff>;
/** A batch is asked for its paths before it is planned. */
const parsedOf = new WeakMap<ApplyDiff, Parsed>();

function parse(patch: ApplyDiff): Parsed {
  const known = parsedOf.get(patch);
  if (known) return known;
  const parsed = parseDiff(patch.diff, patch.file);
  parsedOf.set(patch, parsed);
  return parsed;
}

/** What a patch does to its file as a whole. */
export function effectOf(patch: FilePatch): "edit" | "create" | "delete" | "rename" {
  if (patch.op === "create-file") return "create";
  if (patch.op === "delete-file") return "delete";
  if (patch.op === "rename-file") return "rename";
  if (patch.op !== "apply-diff" || patch.part === null) return "edit";
  const { kind } = patch.part.change;
  return kind === "copy" ? "create" : kind;
}

/** The name a patch gives its file; null where it keeps its own. */
export function targetOf(patch: FilePatch): string | null {
  if (patch.op === "rename-file") return patch.to;
  return patch.op === "apply-diff" && patch.part?.change.kind === "rename" ? patch.part.change.to : null;
}

/** Every path a patch speaks of. */
export function pathsOfPatch(patch: FilePatch): string[] {
  const target = targetOf(patch);
  const paths = target === null ? [patch.file] : [patch.file, target];
  if (patch.op === "apply-diff" && patch.part?.change.kind === "copy") paths.push(patch.part.change.path);
  return paths.filter((path) => path !== "");
}

/** Whether the part of a diff that a patch stands for holds a NUL. */
export function addedTextHasNul({ part }: FileDiff): boolean {
  const [first, last] = [part?.change.hunks[0], part?.change.hunks.at(-1)];
  if (!part || !first || !last) return false;
  return part.text.bytes.subarray(part.text.startOf(first.first), part.text.endOf(last.last)).includes(0);
}
