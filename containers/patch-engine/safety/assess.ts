import type { CheckOutcome, Safety } from "@shared/contracts";
import { effectsOf, TextFile, type FileSnapshots, type Plan, type PlannedFile } from "../core/index.ts";
import { changedLines } from "../gates/gate.ts";
import { regionsOf } from "../gates/guardedRegions.ts";
import { exportsOf } from "./exportsOf.ts";
import { scoreOf, type SafetyFacts } from "./score.ts";

/** How safe a plan is to carry out, from 0 to 100, with the reasons; see `scoreOf`. Nothing is written. */
export async function assessSafety(
  plan: Plan,
  before: FileSnapshots,
  checks: readonly CheckOutcome[],
): Promise<Safety> {
  return scoreOf({
    linesRemoved: plan.files.reduce((sum, file) => sum + file.linesRemoved, 0),
    largestShare: largestShareOf(plan.files),
    filesTouched: plan.files.length,
    filesDeleted: plan.files.filter(({ kind }) => kind === "delete").map(({ path }) => path),
    exportsRemoved: await exportsRemovedBy(plan.files),
    guardDistance: guardDistanceOf(plan, before),
    findings: checks.flatMap(({ name, findings }) => findings.map(({ message }) => ({ gate: name, message }))),
    moved: plan.patches.filter(({ moved }) => moved !== 0).length,
  });
}

function largestShareOf(files: readonly PlannedFile[]): SafetyFacts["largestShare"] {
  let largest: SafetyFacts["largestShare"] = null;
  for (const file of files) {
    if (file.before === null) continue;
    const lines = TextFile.of(Buffer.from(file.before)).lineCount;
    const share = file.kind === "delete" ? 1 : Math.min(1, changedLines(file) / Math.max(1, lines));
    if (share > (largest?.share ?? 0)) largest = { file: file.path, share };
  }
  return largest;
}

/** Of a renamed file, what its new name no longer exports: that its importers must follow it is not counted. */
async function exportsRemovedBy(files: readonly PlannedFile[]): Promise<{ file: string; name: string }[]> {
  const removed: { file: string; name: string }[] = [];
  const standing = effectsOf(files, ({ after, afterSha256, mode }) =>
    after === null || afterSha256 === null ? null : { bytes: after, sha256: afterSha256, mode },
  );
  for (const { path, from, before } of files) {
    if (before === null) continue;
    const after = standing.get(path);
    const left = after ? await exportsOf(path, after.bytes) : new Set<string>();
    const file = from ?? path;
    for (const name of await exportsOf(file, before)) if (!left.has(name)) removed.push({ file, name });
  }
  return removed;
}

function guardDistanceOf({ patches }: Plan, before: FileSnapshots): SafetyFacts["guardDistance"] {
  let nearest: SafetyFacts["guardDistance"] = null;
  for (const { file, start, end } of patches.flatMap(({ touched }) => touched)) {
    const bytes = before.get(file)?.bytes;
    for (const region of bytes ? regionsOf(bytes) : []) {
      // An insertion touches the gap before line `start`: it is next to what ends there and to what begins there.
      const below = region.start - Math.max(end, start - 1);
      const above = start - region.end;
      const inside = end < start ? region.start < start && start <= region.end : below <= 0 && above <= 0;
      const lines = inside ? 0 : Math.max(1, below, above);
      if (nearest === null || lines < nearest.lines) nearest = { file, name: region.name, lines };
    }
  }
  return nearest;
}
