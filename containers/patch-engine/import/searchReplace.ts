import { closes, fenceOf, pathOf, Refused, type Draft } from "./draft.ts";

const SEARCH = /^(?:<{5,9}) ?(?:SEARCH|ORIGINAL|HEAD)?\b ?(.*)$/;
const DIVIDER = /^={5,9}\s*$/;
const REPLACE = /^>{5,9} ?(?:REPLACE|UPDATED|MODIFIED)?\b.*$/;
const isOpening = (line: string): boolean => line.length < 1100 && SEARCH.test(line) && /^<{5,9}/.test(line);

/**
 * SEARCH/REPLACE blocks: `<<<<<<< SEARCH`, `=======`, `>>>>>>> REPLACE`, with the file's name in the line above, above
 * the fence, in the fence's info string or behind SEARCH. A block without a name is of the file of the block before.
 * An empty SEARCH makes the file, or is for an empty one.
 */
export function readSearchReplace(lines: readonly string[]): Draft[] {
  const drafts: Draft[] = [];
  let file: string | null = null;
  let fence: string | null = null;
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? "";
    const fenced = fenceOf(line);
    if (fenced) fence = fence !== null && closes(line, fence) ? null : fenced.mark;
    if (DIVIDER.test(line) || (/^>{5,9} ?REPLACE/.test(line) && fence !== "")) {
      if (line.startsWith(">") || drafts.length > 0 || fence !== null) {
        if (line.startsWith(">")) throw new Refused(at + 1, "expected `<<<<<<< SEARCH` before this line");
      }
      continue;
    }
    if (!isOpening(line)) continue;
    file = namedAbove(lines, at, drafts.at(-1) ? lastEnd(drafts) : 0) ?? file;
    const own = pathOf(SEARCH.exec(line)?.[1] ?? "");
    if (own !== null) file = own;
    const block = readBlock(lines, at);
    if (file === null) throw new Refused(at + 1, "expected the file's name above this block");
    drafts.push(draftOf(file, at + 1, block));
    ends.set(drafts.at(-1) ?? block, block.end);
    at = block.end;
  }
  if (drafts.length === 0) throw new Refused(1, "expected a line `<<<<<<< SEARCH`");
  return drafts;
}

const ends = new WeakMap<object, number>();
const lastEnd = (drafts: readonly Draft[]): number => ends.get(drafts.at(-1) ?? drafts) ?? 0;

interface Block {
  search: string[];
  replace: string[];
  /** The index of the closing line. */
  end: number;
}

function readBlock(lines: readonly string[], start: number): Block {
  let divider = -1;
  for (let at = start + 1; at < lines.length; at++) {
    const line = lines[at] ?? "";
    if (line.length > 1100) continue;
    if (divider === -1 && DIVIDER.test(line)) divider = at;
    else if (REPLACE.test(line) && /^>{5,9}/.test(line)) {
      if (divider === -1)
        throw new Refused(
          at + 1,
          `expected \`=======\` between the block's two halves (it begins at line ${start + 1})`,
        );
      return { search: lines.slice(start + 1, divider), replace: lines.slice(divider + 1, at), end: at };
    } else if (/^<{5,9} ?(?:SEARCH|ORIGINAL|HEAD)/.test(line)) {
      throw new Refused(at + 1, `expected the end of the block of line ${start + 1}, \`>>>>>>> REPLACE\``);
    } else if (divider !== -1 && DIVIDER.test(line)) {
      throw new Refused(at + 1, `the block of line ${start + 1} has a second \`=======\``);
    }
  }
  throw new Refused(
    lines.length,
    `the text ends within the block of line ${start + 1}: expected \`${divider === -1 ? "=======" : ">>>>>>> REPLACE"}\``,
  );
}

function draftOf(file: string, line: number, { search, replace }: Block): Draft {
  if (search.every((one) => one.trim() === "")) {
    return { kind: "whole", file, line, content: replace.length === 0 ? "" : `${replace.join("\n")}\n`, isNew: true };
  }
  return { kind: "hunk", file, line, old: search, now: replace };
}

/** The nearest name above a block: past fences and blank lines, not past other text or the block before. */
function namedAbove(lines: readonly string[], at: number, floor: number): string | null {
  for (let above = at - 1, seen = 0; above > floor - 1 && above >= 0 && seen < 4; above--) {
    const line = lines[above] ?? "";
    const fence = fenceOf(line);
    if (fence) {
      const [, named] = /(?:^|[\s:=])([^\s:=]*[./][^\s]*)$/.exec(fence.info) ?? [];
      const path = named === undefined ? null : pathOf(named);
      if (path !== null) return path;
      if (closes(line, fence.mark) && above < at - 1) return null;
      continue;
    }
    if (line.trim() === "") continue;
    seen++;
    if (REPLACE.test(line) && /^>{5,9}/.test(line)) return null;
    const path = pathOf(line) ?? pathWithin(line);
    if (path !== null) return path;
    return null;
  }
  return null;
}

/** A sentence that names one path in backquotes. */
function pathWithin(line: string): string | null {
  if (line.length > 1000) return null;
  const paths = [...line.matchAll(/`([^`\s]+)`/g)].flatMap((match) => pathOf(match[1] ?? "") ?? []);
  return paths.length === 1 ? (paths[0] ?? null) : null;
}
