import { closes, fenceOf, pathOf, Refused, type Draft } from "./draft.ts";

/**
 * SEARCH/REPLACE blocks: `<<<<<<< SEARCH`, `=======`, `>>>>>>> REPLACE`, with the file's name in the line above, above
 * the fence, in the fence's info string or behind SEARCH. A block without a name is of the file of the block before.
 * An empty SEARCH makes the file, or is for an empty one.
 */
export function readSearchReplace(lines: readonly string[]): Draft[] {
  const drafts: Draft[] = [];
  let file: string | null = null;
  /** The line behind the block before. */
  let free = 0;
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? "";
    if (isClosing(line)) throw new Refused(at + 1, "expected `<<<<<<< SEARCH` before this line");
    const opening = openingOf(line);
    if (!opening) continue;
    file = pathOf(opening.rest) ?? namedAbove(lines, at, free) ?? file;
    if (file === null) throw new Refused(at + 1, "expected the file's name above this block");
    const block = readBlock(lines, at);
    drafts.push(draftOf(file, at + 1, block));
    at = block.end;
    free = at + 1;
  }
  if (drafts.length === 0) throw new Refused(1, "expected a line `<<<<<<< SEARCH`");
  return drafts;
}

/** Seven marks are usual, models write five to nine. */
function openingOf(line: string): { rest: string } | null {
  const match = line.length > 1100 ? null : /^<{5,9} ?(?:SEARCH|ORIGINAL|HEAD)\b:? *(.*)$/.exec(line);
  return match && { rest: match[1] ?? "" };
}

const isDivider = (line: string): boolean => line.length < 100 && /^={5,9}\s*$/.test(line);
const isClosing = (line: string): boolean => line.length < 1100 && /^>{5,9} ?(?:REPLACE|UPDATED|MODIFIED)\b/.test(line);

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
    if (divider === -1 && isDivider(line)) divider = at;
    else if (isClosing(line) || (divider !== -1 && /^>{5,9}\s*$/.test(line.slice(0, 100)))) {
      if (divider === -1)
        throw new Refused(
          at + 1,
          `expected \`=======\` between the block's two halves (it begins at line ${start + 1})`,
        );
      return { search: lines.slice(start + 1, divider), replace: lines.slice(divider + 1, at), end: at };
    } else if (openingOf(line)) {
      throw new Refused(at + 1, `expected the end of the block of line ${start + 1}, \`>>>>>>> REPLACE\``);
    } else if (divider !== -1 && isDivider(line)) {
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
  for (let above = at - 1; above >= floor; above--) {
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
    return pathOf(line) ?? pathWithin(line);
  }
  return null;
}

/** A sentence that names one path in backquotes. */
function pathWithin(line: string): string | null {
  if (line.length > 1000) return null;
  const paths = [...line.matchAll(/`([^`\s]+)`/g)].flatMap((match) => pathOf(match[1] ?? "") ?? []);
  return paths.length === 1 ? (paths[0] ?? null) : null;
}
