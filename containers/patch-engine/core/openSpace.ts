import { Buffer } from "node:buffer";
import type { Edit } from "./edit.ts";
import type { OpenRegion } from "./settle.ts";
import type { TextFile } from "./textFile.ts";

/** The blank lines to insert, as edits of the text that has the blocks, and which patches got one on which side. */
export interface OpenedSpace {
  edits: Edit[];
  before: ReadonlySet<number>;
  after: ReadonlySet<number>;
}

/**
 * One blank line on each side of each block where there is a neighbour that is not blank: decided on the text that the
 * whole batch left, so that blocks side by side share one. Spaces and tabs are blank.
 */
export function openSpace(text: TextFile, regions: readonly OpenRegion[]): OpenedSpace {
  const edits: Edit[] = [];
  const before = new Set<number>();
  const after = new Set<number>();
  const opened = new Set<number>();
  for (const { owner, start, end, eol } of regions.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    const first = text.lineAt(start);
    const last = text.lineAt(Math.max(start, end));
    if (first > 1 && !opened.has(first) && !isBlank(text, first - 1)) {
      edits.push({ text: Buffer.from(eol), owners: [owner], start: text.startOf(first), end: text.startOf(first) });
      before.add(owner);
      opened.add(first);
    }
    if (last < text.lineCount && !opened.has(last + 1) && !isBlank(text, last + 1)) {
      // The ending of the block's last line, before that ending: so the line keeps its own.
      const ending = Buffer.from(text.eolOf(last) ?? eol);
      edits.push({ text: ending, owners: [owner], start: text.contentEnd(last), end: text.contentEnd(last) });
      after.add(owner);
      opened.add(last + 1);
    }
  }
  return { edits: edits.toSorted((a, b) => a.start - b.start), before, after };
}

function isBlank(text: TextFile, line: number): boolean {
  const end = text.contentEnd(line);
  for (let at = text.startOf(line); at < end; at++) {
    const byte = text.bytes[at];
    if (byte !== 0x20 && byte !== 0x09) return false;
  }
  return true;
}

/**
 * Carries regions through further edits of the text they stand in. A block that an edit replaces whole is gone, and its
 * wish with it.
 */
export function carryRegions(regions: readonly OpenRegion[], edits: readonly Edit[]): OpenRegion[] {
  if (regions.length === 0 || edits.length === 0) return [...regions];
  const carried: OpenRegion[] = [];
  for (const region of regions) {
    let { start, end } = region;
    let delta = 0;
    let isGone = false;
    for (const edit of edits) {
      const change = edit.text.length - (edit.end - edit.start);
      const isInsertion = edit.start === edit.end;
      if (edit.start > region.end || (edit.start === region.end && isInsertion && region.end > region.start)) break;
      if (edit.end <= region.start) {
        start += change;
        end += change;
      } else if (edit.start <= region.start && edit.end >= region.end) {
        isGone = true;
      } else if (edit.start <= region.start) {
        start = edit.end + delta + change;
        end += change;
      } else if (edit.end <= region.end) {
        end += change;
      } else {
        end = edit.start + delta;
      }
      delta += change;
    }
    if (!isGone) carried.push({ ...region, start, end });
  }
  return carried;
}
