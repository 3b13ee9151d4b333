import * as fc from "fast-check";
import { PatchBatchSchema, type PatchBatchInput } from "@shared/contracts";
import { planBatch, sha256, type FileSnapshot, type PlanResult } from "../../core/index.ts";
import type { LineOp } from "./lineModel.ts";

/** Line contents that have tripped editors: blanks, lone CR, other separators, astral and combining characters. */
const lineText = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("a", "b", "c", "const x = 1;", "}", "foo bar", "\tif (x) {") },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      "",
      " ",
      "\t",
      "x\ry",
      "u\u2028v",
      "f\fg",
      "😀",
      "e\u0301",
      "-- a",
      "+b",
      "\\ No newline",
      "@@ -1 +1 @@",
    ),
  },
);

/** A text file: LF, CR LF or mixed endings, with and without BOM and final newline, down to the empty file. */
export const content = fc
  .record({
    lines: fc.array(lineText, { maxLength: 14 }),
    endings: fc.oneof(fc.constant(["\n"]), fc.constant(["\r\n"]), fc.constant(["\n", "\r\n"])),
    picks: fc.array(fc.nat(1), { minLength: 14, maxLength: 14 }),
    final: fc.boolean(),
    bom: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
  })
  .map(({ lines, endings, picks, final, bom }) => {
    const text = lines
      .map((line, i) => line + (i < lines.length - 1 || final ? endings[(picks[i] ?? 0) % endings.length] : ""))
      .join("");
    // A file's lone CR before a LF would be a CR LF.
    return (bom ? "\uFEFF" : "") + text;
  });

export const block = fc
  .record({
    lines: fc.array(lineText, { maxLength: 4 }),
    eol: fc.constantFrom("\n", "\n", "\r\n"),
    final: fc.boolean(),
  })
  .map(({ lines, eol, final }) => lines.join(eol) + (final && lines.length > 0 ? eol : ""));

/** How many lines a file has: a final newline ends the last one and starts none. */
export function lineCount(text: string): number {
  const body = text.replace(/^\uFEFF/, "");
  if (body === "") return 0;
  return body.split("\n").length - (body.endsWith("\n") ? 1 : 0);
}

/** Operations on a file of `count` lines that speak of it as it is and do not overlap, in any order. */
export function lineOps(count: number, options: { openSpace: boolean }): fc.Arbitrary<LineOp[]> {
  const file = "file.ts";
  const raw = fc.record({
    kind: fc.constantFrom("replace", "replace", "insert-before", "insert-after", "append", "prepend"),
    at: fc.nat(count),
    length: fc.integer({ min: 1, max: 3 }),
    block,
    openSpace: options.openSpace ? fc.boolean() : fc.constant(false),
  });
  return fc.array(raw, { minLength: 1, maxLength: 6 }).map((all) => {
    const taken = new Set<number>();
    const inside = new Set<number>();
    const gaps = new Set<number>();
    const ops: LineOp[] = [];
    for (const { kind, at, length, block, openSpace } of all) {
      if (kind === "replace") {
        const start = at + 1;
        const end = Math.min(count, start + length - 1);
        const lines = Array.from({ length: end - start + 1 }, (_, i) => start + i);
        const inner = lines.slice(1);
        if (start > count || lines.some((line) => taken.has(line)) || inner.some((gap) => gaps.has(gap))) continue;
        for (const line of lines) taken.add(line);
        for (const gap of inner) inside.add(gap);
        ops.push({ op: "replace-block", file, start, end, block, openSpace });
      } else {
        const gap = kind === "append" ? count + 1 : kind === "prepend" ? 1 : kind === "insert-before" ? at + 1 : at + 1;
        if (inside.has(gap)) continue;
        if (kind === "insert-after" && at === 0) continue;
        gaps.add(gap);
        if (kind === "append" || kind === "prepend") ops.push({ op: kind, file, block });
        else if (kind === "insert-before") ops.push({ op: kind, file, line: at + 1, block, openSpace });
        else ops.push({ op: "insert-after", file, line: at, block, openSpace });
      }
    }
    return ops;
  });
}

export const fileAndOps = (options: { openSpace: boolean }) =>
  content
    .chain((text) => fc.record({ text: fc.constant(text), ops: lineOps(lineCount(text), options) }))
    .filter(({ ops }) => ops.length > 0);

export function snapshot(text: string | Uint8Array): FileSnapshot {
  const bytes = typeof text === "string" ? Buffer.from(text) : text;
  return { bytes, sha256: sha256(bytes), mode: "100644" };
}

export const snapshots = (files: Record<string, string>): Map<string, FileSnapshot | null> =>
  new Map(Object.entries(files).map(([path, text]) => [path, snapshot(text)]));

export function plan(files: Record<string, string>, batch: PatchBatchInput): PlanResult {
  return planBatch(PatchBatchSchema.parse(batch), snapshots(files), { mintPatchId: (index) => `p${index + 1}` });
}

/** What a plan leaves of some files: their text by path. */
export function after(files: Record<string, string>, result: PlanResult): Record<string, string> {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.message}`);
  const left = { ...files };
  for (const file of result.plan.files) {
    if (file.kind === "delete") delete left[file.path];
    if (file.from !== null) delete left[file.from];
  }
  for (const file of result.plan.files) if (file.after) left[file.path] = Buffer.from(file.after).toString();
  return left;
}
