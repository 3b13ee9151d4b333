import type { TextFile } from "../core/index.ts";

/** What stood where a line of the new text stands now. */
export interface Removed {
  /** 1-based lines of the text before; `end` is `start` - 1 where nothing stood there. */
  start: number;
  end: number;
  /** Lines of code among them that the new text holds nowhere. */
  lines: string[];
  /** Lines of code that stand there instead, the asked-for line aside. */
  insteadOf: number;
}

/** A line that says where it is: more than brackets and one short word. */
const tells = (line: string): boolean => /[\p{L}\p{N}_]{2}/u.test(line);

const COMMENT = /^(?:\/\/|\/\*|\*|#|<!--|\{\/\*|\.\.\.|…)/u;

const isCode = (line: string): boolean => line !== "" && tells(line) && !COMMENT.test(line);

/** A text's lines without the white space around them. */
export const trimmedLines = (text: TextFile): string[] =>
  Array.from({ length: text.lineCount }, (_, at) => text.lineText(at + 1).trim());

/**
 * What the batch took away between the lines around `first`…`last` (1-based, of the new text) that stand in both texts.
 */
export function removedAt(before: readonly string[], after: readonly string[], first: number, last: number): Removed {
  const places = new Map<string, number[]>();
  for (const [at, line] of before.entries()) {
    const known = places.get(line);
    if (known) known.push(at);
    else places.set(line, [at]);
  }
  const kept = new Set(after);
  // Above: the nearest line whose whole neighbourhood upwards is in step with the old text; else the file's start.
  let above = -1;
  let anchorAbove = -1;
  for (let at = first - 2; at >= 0; at--) {
    const line = after[at] ?? "";
    const stood = tells(line) ? places.get(line) : undefined;
    if (!stood) continue;
    const rank = countUpTo(after, line, at);
    above = stood[Math.min(rank, stood.length) - 1] ?? -1;
    anchorAbove = at;
    break;
  }
  let below = before.length;
  let anchorBelow = after.length;
  for (let at = last; at < after.length; at++) {
    const line = after[at] ?? "";
    const stood = tells(line) ? places.get(line)?.filter((place) => place > above) : undefined;
    const place = stood?.[0];
    if (place === undefined) continue;
    below = place;
    anchorBelow = at;
    break;
  }
  const lines = before.slice(above + 1, below).filter((line) => isCode(line) && !kept.has(line));
  const insteadOf = after
    .slice(anchorAbove + 1, anchorBelow)
    .filter(
      (line, at) =>
        isCode(line) && !places.has(line) && (anchorAbove + 1 + at < first - 1 || anchorAbove + 1 + at >= last),
    ).length;
  return { start: above + 2, end: below, lines, insteadOf };
}

function countUpTo(lines: readonly string[], line: string, at: number): number {
  let count = 0;
  for (let index = 0; index <= at; index++) if (lines[index] === line) count++;
  return count;
}
