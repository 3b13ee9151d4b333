import { fail, type Failed, type PatchOperationInput, type Result, type VibeError } from "@shared/contracts";
import { checkPath } from "../core/path.ts";
import { quotePath } from "../core/quotePath.ts";
import type { Draft } from "./draft.ts";
import { lineChanges, operationOf, type LineChange } from "./lineEdits.ts";
import { FileLines, linesOf } from "./FileLines.ts";
import { locate } from "./locate.ts";

/** The text of a file as it stands; null where there is none. Asked for checked paths alone. */
export type FileReader = (path: string) => Result<{ content: string | null }>;

/** A file that must be known and cannot be read, or may not. */
export class Unreadable extends Error {
  readonly error: VibeError;

  constructor(error: VibeError) {
    super(error.message);
    this.error = error;
  }
}

/** Reads a file whose path may be anything. Throws `Unreadable`. */
export function contentOf(readFile: FileReader, path: string): string | null {
  const forbidden = checkPath(path);
  if (forbidden) throw new Unreadable(forbidden);
  const read = readFile(path);
  if (!read.ok) throw new Unreadable(read.error);
  return read.content;
}

/** Something that was read generously, or that a reviewer should see. `line` is of the imported text. */
export interface ImportNote {
  line: number;
  file: string;
  code: "INDENTATION" | "TRAILING_WHITE_SPACE" | "REWRITES_FILE" | "UNCHANGED";
  message: string;
}

export interface Drafted {
  ok: true;
  patches: PatchOperationInput[];
  notes: ImportNote[];
}

/** Turns drafts into operations on the files as they stand; the first that has no place, or more than one, refuses all. */
export function operationsOf(
  drafts: readonly Draft[],
  readFile: FileReader,
  maxRewritePercent: number,
): Drafted | Failed {
  const patches: PatchOperationInput[] = [];
  const notes: ImportNote[] = [];
  const files = new Map<string, FileLines | null>();
  for (const draft of drafts) {
    const { file, line } = draft;
    let standing = files.get(file);
    if (standing === undefined) {
      const content = contentOf(readFile, file);
      standing = content === null ? null : new FileLines(content);
      files.set(file, standing);
    }
    const current = standing;
    const note = (code: ImportNote["code"], message: string) => notes.push({ line, file, code, message });
    const missing = () =>
      fail("FILE_NOT_FOUND", `Line ${line}: ${file} does not exist.`, {
        file,
        findings: [{ line, message: "no such file" }],
      });
    const addChanges = ({ lines }: FileLines, changes: readonly LineChange[]) => {
      for (const change of changes) patches.push(operationOf(file, lines, change));
      if (changes.length === 0) note("UNCHANGED", `${file} is so already`);
    };
    switch (draft.kind) {
      case "hunk": {
        if (!current) return missing();
        const { otherwise } = draft;
        let reading = draft;
        let found = locate(current, draft);
        if (!found.ok && found.error.code === "STALE_CONTENT" && otherwise) {
          const again = locate(current, { ...draft, ...otherwise });
          if (again.ok || again.error.code === "AMBIGUOUS_LOCATION")
            [found, reading] = [again, { ...draft, ...otherwise }];
        }
        if (!found.ok) return found;
        const { start, now, slack } = found.located;
        if (slack === "indentation") note("INDENTATION", `line ${start} of ${file} was found by another indentation`);
        if (slack === "trailing white space")
          note("TRAILING_WHITE_SPACE", `line ${start} of ${file} differs in white space at line ends`);
        addChanges(
          current,
          lineChanges(current.slice(start, reading.old.length), kept(reading, now, current, start), start),
        );
        break;
      }
      case "whole": {
        if (!current) {
          patches.push({ op: "create-file", file, block: draft.content });
          break;
        }
        if (draft.isNew && current.length > 0) {
          return fail("FILE_EXISTS", `Line ${line}: ${file} is there already, and the edit names no line of it.`, {
            file,
            findings: [{ line, message: "names nothing to search for, which is for new files" }],
          });
        }
        const changes = lineChanges(current.lines, linesOf(draft.content));
        const touched = changes.reduce((sum, { removed, added }) => sum + Math.max(removed.length, added.length), 0);
        const percent = current.length === 0 ? 0 : Math.round((touched * 100) / current.length);
        if (percent > maxRewritePercent) note("REWRITES_FILE", `${percent} % of ${file} would change`);
        addChanges(current, changes);
        break;
      }
      case "substring": {
        if (!current) return missing();
        const refused = addSubstring(draft, current, patches);
        if (refused) return refused;
        break;
      }
      case "insert": {
        if (!current) return missing();
        if (draft.after > current.length) {
          return fail(
            "RANGE_OUT_OF_BOUNDS",
            `Line ${line}: ${file} has ${current.length} lines, so nothing can be inserted after line ${draft.after}.`,
            { file },
          );
        }
        const added = linesOf(draft.content.endsWith("\n") ? draft.content : `${draft.content}\n`);
        addChanges(current, [{ start: draft.after + 1, removed: [], added }]);
        break;
      }
      case "create":
        if (current) {
          return fail("FILE_EXISTS", `Line ${line}: ${file} is there already.`, {
            file,
            findings: [{ line, message: "the file exists" }],
          });
        }
        patches.push(
          draft.mode === "100755"
            ? { op: "apply-diff", diff: creation(file, draft.content) }
            : { op: "create-file", file, block: draft.content },
        );
        break;
      case "delete":
        if (!current) return missing();
        patches.push({ op: "delete-file", file });
        break;
      case "rename":
        if (!current) return missing();
        patches.push({ op: "rename-file", file, to: draft.to });
        break;
      case "mode": {
        if (!current) return missing();
        const name = [quotePath(`a/${file}`), quotePath(`b/${file}`)].join(" ");
        patches.push({
          op: "apply-diff",
          diff: `diff --git ${name}\nold mode ${draft.oldMode}\nnew mode ${draft.mode}\n`,
        });
        break;
      }
    }
  }
  return { ok: true, patches, notes };
}

/** Lines of the replacement that are context stay as the file has them, whatever was overlooked to find them. */
function kept(
  draft: { old: readonly string[]; now: readonly string[] },
  now: readonly string[],
  current: FileLines,
  start: number,
): string[] {
  const actual = current.slice(start, draft.old.length);
  const lines: string[] = [];
  /** How far the old lines and the new ones have been walked. */
  let old = 0;
  let next = 0;
  for (const { start: line, removed, added } of lineChanges(draft.old, draft.now)) {
    const same = line - 1 - old;
    for (const one of actual.slice(old, old + same)) lines.push(one);
    for (const one of now.slice(next + same, next + same + added.length)) lines.push(one);
    old += same + removed.length;
    next += same + added.length;
  }
  for (const one of actual.slice(old)) lines.push(one);
  return lines;
}

function addSubstring(
  { file, line, search, replace }: Extract<Draft, { kind: "substring" }>,
  current: FileLines,
  patches: PatchOperationInput[],
): Failed | null {
  const text = current.content.replaceAll("\r\n", "\n");
  const wanted = search.replaceAll("\r\n", "\n");
  const { lines } = current;
  const places: number[] = [];
  for (let at = text.indexOf(wanted); at !== -1 && places.length <= 20; at = text.indexOf(wanted, at + 1))
    places.push(at);
  if (places.length === 1) {
    patches.push({ op: "search-replace", file, search, replace });
    return null;
  }
  const count = wanted.split("\n").length - (wanted.endsWith("\n") ? 1 : 0);
  if (places.length > 1) {
    const candidates = places.slice(0, 20).map((place) => {
      const start = text.slice(0, place).split("\n").length;
      return { start, end: start + count - 1, lines: lines.slice(start - 1, start - 1 + Math.min(count, 10)) };
    });
    return fail(
      "AMBIGUOUS_LOCATION",
      `Line ${line}: the text to replace stands in ${places.length} places of ${file}.`,
      {
        file,
        candidates,
        findings: [{ line, message: "the text to replace is not unique" }],
      },
    );
  }
  // Whole lines may still be found but for their indentation.
  const found = locate(current, { file, line, old: linesOf(wanted), now: linesOf(replace) });
  if (!found.ok) return found;
  const { start, now } = found.located;
  const changes = lineChanges(current.slice(start, linesOf(wanted).length), now, start);
  for (const change of changes) patches.push(operationOf(file, lines, change));
  return null;
}

function creation(file: string, content: string): string {
  const name = quotePath(`b/${file}`);
  const header = `diff --git ${quotePath(`a/${file}`)} ${name}\nnew file mode 100755\n`;
  if (content === "") return header;
  const isOpen = !content.endsWith("\n");
  const lines = (isOpen ? content : content.slice(0, -1)).split("\n");
  const body = lines.map((line) => `+${line}\n`).join("");
  return `${header}--- /dev/null\n+++ ${name}${name.includes(" ") ? "\t" : ""}\n@@ -0,0 +1,${lines.length} @@\n${body}${isOpen ? "\\ No newline at end of file\n" : ""}`;
}
