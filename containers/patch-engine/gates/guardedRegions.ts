import type { GateLevel } from "@shared/contracts";
import { TextFile } from "../core/index.ts";
import { contextAround, type Gate, type GateInput, type Objection } from "./gate.ts";

const BOUNDARY = /@guard (START|END) ([A-Za-z0-9_.-]+)/gu;
const NEEDLE = Buffer.from("@guard ");

export interface GuardedRegion {
  name: string;
  start: number;
  end: number;
}

/** No patch touches a line from `@guard START name` to `@guard END name`, both included; unclosed, to the file's end. */
export function guardedRegions(level: GateLevel): Gate {
  return { name: "guardedRegions", level, run: check };
}

function check({ plan, before }: GateInput): Objection[] {
  const regions = new Map<string, GuardedRegion[]>();
  const objections: Objection[] = [];
  for (const patch of plan.patches) {
    for (const { file, start, end } of patch.touched) {
      const bytes = before.get(file)?.bytes;
      if (!bytes) continue;
      let known = regions.get(file);
      if (!known) regions.set(file, (known = regionsOf(bytes)));
      // An insertion stands before line `start`, so it is inside a region only after the region's first line.
      const hit = known.find((one) =>
        end < start ? one.start < start && start <= one.end : start <= one.end && one.start <= end,
      );
      if (!hit) continue;
      const context = contextAround(bytes, hit.start);
      objections.push({
        code: "GUARDED_REGION",
        patchId: patch.patch_id,
        finding: { file, line: start, message: `Lines ${hit.start}–${hit.end} are guarded as ${hit.name}.` },
        ...(context && { context }),
      });
    }
  }
  return objections;
}

/** The guarded regions of a file, in 1-based, inclusive lines. */
export function regionsOf(bytes: Uint8Array): GuardedRegion[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!buffer.includes(NEEDLE)) return [];
  const text = TextFile.of(buffer);
  const open = new Map<string, number>();
  const regions: GuardedRegion[] = [];
  for (let line = 1; line <= text.lineCount; line++) {
    for (const [, boundary, name = ""] of text.lineText(line).matchAll(BOUNDARY)) {
      const start = open.get(name);
      if (boundary === "START") open.set(name, start ?? line);
      else if (start !== undefined) {
        regions.push({ name, start, end: line });
        open.delete(name);
      }
    }
  }
  for (const [name, start] of open) regions.push({ name, start, end: text.lineCount });
  return regions;
}
