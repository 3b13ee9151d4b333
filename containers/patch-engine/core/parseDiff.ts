import { Buffer } from "node:buffer";
import { fail, type FileMode, type Result } from "@shared/contracts";
import { shownLine } from "./context.ts";
import { commonPath, labelled, means, pathOfGitLine, wholeName, withoutPrefix, type DiffName } from "./diffNames.ts";
import { kindOf, type Hunk, type LineKind } from "./hunk.ts";
import { TextFile } from "./textFile.ts";

/** What a diff does to one file. */
export interface FileChange {
  kind: "edit" | "create" | "delete" | "rename" | "copy";
  /** The path before; of a created file, the path it gets. */
  path: string;
  /** The path after; of a deleted file, the path it had. */
  to: string;
  /** The mode afterwards, where the diff tells it. */
  mode: FileMode | null;
  hunks: Hunk[];
  /** The diff's line at which the file's part begins. */
  line: number;
}

export interface ParsedDiff {
  /** The diff's lines, in which the hunks' bodies stand. */
  text: TextFile;
  files: FileChange[];
}

const HUNK = /^@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@/;

class Invalid extends Error {
  readonly code: "DIFF_INVALID" | "DIFF_BINARY" | "NOT_A_REGULAR_FILE";
  readonly line: number;
  readonly file: string | undefined;

  constructor(line: number, why: string, code: Invalid["code"] = "DIFF_INVALID", file?: string) {
    super(why);
    this.code = code;
    this.line = line;
    this.file = file;
  }
}

/**
 * Reads a unified diff as git and GNU diff write it, strictly: nothing is skipped but what they write around it. Paths
 * lose the `a/` and `b/` before them, or any first segment in which two names of one file differ. With `file`, the diff
 * must be of that file alone and may consist of hunks without names. Linear in the text.
 * DIFF_INVALID with the line, DIFF_BINARY, NOT_A_REGULAR_FILE for symbolic links and submodules.
 */
export function parseDiff(diff: string, file = ""): Result<{ diff: ParsedDiff }> {
  const text = TextFile.of(Buffer.from(isSentWithCr(diff) ? diff.replaceAll("\r\n", "\n") : diff));
  try {
    const files = new Parser(text, file).files();
    return { ok: true, diff: { text, files } };
  } catch (error) {
    if (!(error instanceof Invalid)) throw error;
    const { line } = error;
    const shown = line <= text.lineCount ? `: ${JSON.stringify(shownLine(text.lineText(line)))}` : "";
    return fail(error.code, `Line ${line} of the diff: ${error.message}${shown}.`, {
      ...(error.file === undefined ? {} : { file: error.file }),
      findings: [{ line, message: error.message }],
    });
  }
}

/** Whether the way here made every line end in CR LF: git never ends a hunk's header so. */
function isSentWithCr(diff: string): boolean {
  const at = diff.startsWith("@@ -") ? 0 : diff.indexOf("\n@@ -") + 1;
  if (at === 0 && !diff.startsWith("@@ -")) return false;
  const end = diff.indexOf("\n", at);
  return end > 0 && diff[end - 1] === "\r";
}

/** What the lines before the hunks say of a file. */
interface Header {
  line: number;
  isGit: boolean;
  /** From the `diff --git` line. */
  path: string | null;
  old: { name: DiffName; isEpoch: boolean } | null;
  now: { name: DiffName; isEpoch: boolean } | null;
  made: FileMode | null;
  isDeleted: boolean;
  oldMode: FileMode | null;
  newMode: FileMode | null;
  moved: { kind: "rename" | "copy"; from: string | null; to: string | null } | null;
}

class Parser {
  readonly #text: TextFile;
  readonly #file: string;
  #at = 1;

  constructor(text: TextFile, file: string) {
    this.#text = text;
    this.#file = file;
  }

  files(): FileChange[] {
    const files: FileChange[] = [];
    const isMail = /^(?:From|commit) [0-9a-f]{40}/.test(this.#line(1).slice(0, 48));
    for (; this.#at <= this.#text.lineCount;) {
      const line = this.#line(this.#at);
      if (line.startsWith("diff --git ")) files.push(this.#gitFile(line));
      else if (line.startsWith("--- ") && this.#line(this.#at + 1).startsWith("+++ ")) files.push(this.#plainFile());
      else if (line.startsWith("@@ ") && files.length === 0 && this.#file !== "") files.push(this.#bareHunks());
      else if (isBetween(line) || (isMail && files.length === 0)) this.#at++;
      else if (isMail && line === "-- ") return this.#signature(files);
      else throw this.#unexpected(line, files.length > 0);
    }
    if (files.length === 0) throw new Invalid(this.#at, "the diff ends without naming a file");
    return files;
  }

  #unexpected(line: string, isAfterFile: boolean): Invalid {
    if (/^Binary files .* differ$/.test(line.slice(0, 4096))) {
      return new Invalid(this.#at, "the diff is of a binary file", "DIFF_BINARY");
    }
    if (line.startsWith("@@@")) return new Invalid(this.#at, "a combined diff of a merge is not taken");
    if (isAfterFile && /^[ +\\-]/.test(line)) {
      return new Invalid(this.#at, "the hunk above has more lines than its header says");
    }
    if (line.startsWith("@@")) return new Invalid(this.#at, "a hunk stands here without the file it belongs to");
    return new Invalid(this.#at, isAfterFile ? "expected a hunk or the next file" : "expected `diff --git` or `---`");
  }

  /** What `git format-patch` writes after the last hunk: `-- ` and its version. */
  #signature(files: FileChange[]): FileChange[] {
    for (let line = this.#at + 2; line <= this.#text.lineCount; line++) {
      if (this.#line(line).trim() !== "") throw new Invalid(line, "expected the end: one patch at a time");
    }
    return files;
  }

  #gitFile(gitLine: string): FileChange {
    const header: Header = { ...EMPTY, line: this.#at, isGit: true, path: pathOfGitLine(gitLine.slice(11)) };
    this.#at++;
    for (; this.#at <= this.#text.lineCount; this.#at++) {
      const line = this.#line(this.#at);
      if (line.startsWith("--- ")) {
        this.#names(header);
        break;
      }
      if (!this.#extended(header, line)) break;
    }
    return this.#change(header, this.#hunks());
  }

  /** One of git's lines between `diff --git` and `---`; false where it is none of them. */
  #extended(header: Header, line: string): boolean {
    const value = (prefix: string): string | null => (line.startsWith(prefix) ? line.slice(prefix.length) : null);
    const name = (raw: string) => {
      const whole = wholeName(raw);
      if (whole === null) throw new Invalid(this.#at, "the name is not quoted as git does");
      return whole;
    };
    let got: string | null;
    if ((got = value("old mode ")) !== null) header.oldMode = this.#mode(got, header);
    else if ((got = value("new mode ")) !== null) header.newMode = this.#mode(got, header);
    else if ((got = value("new file mode ")) !== null) header.made = this.#mode(got, header);
    else if ((got = value("deleted file mode ")) !== null) {
      this.#mode(got, header);
      header.isDeleted = true;
    } else if ((got = value("rename from ")) !== null) this.#move(header, "rename").from = name(got);
    else if ((got = value("rename to ")) !== null) this.#move(header, "rename").to = name(got);
    else if ((got = value("copy from ")) !== null) this.#move(header, "copy").from = name(got);
    else if ((got = value("copy to ")) !== null) this.#move(header, "copy").to = name(got);
    else if ((got = value("index ")) !== null) {
      const mode = / ([0-7]{6})$/.exec(got.slice(-7))?.[1];
      if (mode !== undefined) this.#mode(mode, header);
    } else if (line.startsWith("GIT binary patch") || line.startsWith("Binary files ")) {
      throw new Invalid(this.#at, "the diff is of a binary file", "DIFF_BINARY", header.path ?? undefined);
    } else return line.startsWith("similarity index ") || line.startsWith("dissimilarity index ");
    return true;
  }

  #move(header: Header, kind: "rename" | "copy"): NonNullable<Header["moved"]> {
    header.moved ??= { kind, from: null, to: null };
    if (header.moved.kind !== kind) throw new Invalid(this.#at, "a file is either renamed or copied");
    return header.moved;
  }

  #mode(text: string, header: Header): FileMode {
    if (text === "100755") return "100755";
    if (text === "100644" || text === "100664") return "100644";
    if (/^(?:120000|160000|040000)$/.test(text)) {
      const what = text === "120000" ? "a symbolic link" : text === "160000" ? "a submodule" : "a directory";
      throw new Invalid(this.#at, `the diff is of ${what}`, "NOT_A_REGULAR_FILE", header.path ?? undefined);
    }
    throw new Invalid(this.#at, "the mode of a file is 100644 or 100755");
  }

  #plainFile(): FileChange {
    const header: Header = { ...EMPTY, line: this.#at };
    this.#names(header);
    return this.#change(header, this.#hunks());
  }

  #bareHunks(): FileChange {
    const line = this.#at;
    return { kind: "edit", path: this.#file, to: this.#file, mode: null, hunks: this.#hunks(), line };
  }

  /** The `---` and `+++` lines. */
  #names(header: Header): void {
    const old = labelled(this.#line(this.#at).slice(4));
    if (!old) throw new Invalid(this.#at, "the name is not quoted as git does");
    const next = this.#line(this.#at + 1);
    if (!next.startsWith("+++ ")) throw new Invalid(this.#at + 1, "expected `+++` and the new name");
    const now = labelled(next.slice(4));
    if (!now) throw new Invalid(this.#at + 1, "the name is not quoted as git does");
    header.old = old;
    header.now = now;
    this.#at += 2;
    if (!this.#line(this.#at).startsWith("@@")) {
      // The file is empty on both sides only where git says what else happens to it.
      throw new Invalid(this.#at, "expected a hunk, which begins with `@@ -`");
    }
  }

  #hunks(): Hunk[] {
    const hunks: Hunk[] = [];
    let free = 0;
    while (this.#at <= this.#text.lineCount && this.#line(this.#at).startsWith("@@")) {
      const hunk = this.#hunk();
      const begin = hunk.oldCount === 0 ? hunk.oldStart + 1 : hunk.oldStart;
      if (begin < free) throw new Invalid(hunk.line, "the hunk begins before the one above ends");
      free = begin + hunk.oldCount;
      hunks.push(hunk);
    }
    return hunks;
  }

  #hunk(): Hunk {
    const line = this.#at;
    const header = HUNK.exec(this.#line(line).slice(0, 64));
    if (!header) throw new Invalid(line, "expected `@@ -line,count +line,count @@`");
    const [oldStart, oldCount, newCount] = [Number(header[1]), Number(header[2] ?? 1), Number(header[4] ?? 1)];
    if (oldStart === 0 && oldCount > 0) throw new Invalid(line, "lines are counted from 1");
    let old = oldCount;
    let now = newCount;
    let changes = 0;
    let before: LineKind | null = null;
    let ended: LineKind | null = null;
    for (this.#at++; ; this.#at++) {
      const isOver = old === 0 && now === 0;
      const kind = this.#at <= this.#text.lineCount ? kindOf(this.#text, this.#at) : null;
      if (isOver && kind !== "\\") break;
      if (kind === null) throw this.#short(line, { oldCount, newCount, old, now });
      if (kind === "\\") {
        const isLast = before === "-" ? old === 0 : before === "+" ? now === 0 : isOver;
        if (before === null || before === "\\" || !isLast) {
          throw new Invalid(this.#at, "only the last line of a file has no newline at its end");
        }
        ended = before;
      } else {
        if ((kind !== "+" && old === 0) || (kind !== "-" && now === 0)) {
          // A blank line may be the text's next paragraph as well.
          throw new Invalid(
            this.#at,
            `the hunk at line ${line} says ${counted(oldCount, newCount)}, and this line is one more`,
          );
        }
        if (ended === " " || ended === kind) throw new Invalid(this.#at, "nothing follows the last line of a file");
        if (kind !== "+") old--;
        if (kind !== "-") now--;
        if (kind !== " ") changes++;
      }
      before = kind;
    }
    if (changes === 0) throw new Invalid(line, "the hunk changes nothing");
    return { oldStart, oldCount, line, first: line + 1, last: this.#at - 1 };
  }

  #short(line: number, count: { oldCount: number; newCount: number; old: number; now: number }): Invalid {
    const { oldCount, newCount, old, now } = count;
    const has = `has ${oldCount - old} and ${newCount - now}`;
    const says = `the hunk at line ${line} says ${counted(oldCount, newCount)}, and ${has}`;
    return new Invalid(this.#at, this.#at > this.#text.lineCount ? `the diff ends here, but ${says}` : says);
  }

  /** What header and hunks together say of the file. */
  #change(header: Header, hunks: Hunk[]): FileChange {
    const { line } = header;
    const only = hunks.length === 1 ? hunks[0] : undefined;
    const isBorn = header.made !== null || (header.old !== null && header.old.name === null);
    const isGone = header.isDeleted || (header.now !== null && header.now.name === null);
    const wasEpoch = !header.isGit && header.old?.isEpoch === true && only?.oldStart === 0 && only.oldCount === 0;
    const isEpoch = !header.isGit && header.now?.isEpoch === true && only !== undefined && this.#isAllRemoved(only);
    if ((isBorn && isGone) || ((isBorn || isGone) && header.moved)) {
      throw new Invalid(line, "a file cannot be made, removed, renamed or copied at the same time");
    }
    const kind = header.moved?.kind ?? (isBorn || wasEpoch ? "create" : isGone || isEpoch ? "delete" : "edit");
    const [path, to] = this.#paths(header, kind);
    if (this.#file !== "" && path !== this.#file && to !== this.#file) {
      throw new Invalid(line, `the diff is of ${JSON.stringify(path)}, not of ${JSON.stringify(this.#file)}`);
    }
    if (kind === "create" && hunks.some((hunk) => hunk !== only || hunk.oldCount > 0)) {
      throw new Invalid(hunks[0]?.line ?? line, "a new file has one hunk of added lines");
    }
    if (kind === "delete" && hunks.some((hunk) => hunk !== only || !this.#isAllRemoved(hunk))) {
      throw new Invalid(hunks[0]?.line ?? line, "a deleted file has one hunk of removed lines");
    }
    const mode = header.made ?? header.newMode;
    if (kind === "edit" && hunks.length === 0 && mode === null) {
      throw new Invalid(this.#at, "expected what changes: a hunk, a mode or a new name");
    }
    if ((header.oldMode === null) !== (header.newMode === null)) {
      throw new Invalid(line, "`old mode` and `new mode` come together");
    }
    return { kind, path, to, mode, hunks, line };
  }

  #isAllRemoved({ oldCount, first, last }: Hunk): boolean {
    const marker = kindOf(this.#text, last) === "\\" ? 1 : 0;
    return (
      oldCount === last - first + 1 - marker && kindOf(this.#text, first) === "-" && this.#removes(first, oldCount)
    );
  }

  #removes(first: number, count: number): boolean {
    for (let line = first; line < first + count; line++) if (kindOf(this.#text, line) !== "-") return false;
    return true;
  }

  #paths(header: Header, kind: FileChange["kind"]): [path: string, to: string] {
    const { line, path, moved, isGit } = header;
    const old = header.old?.name ?? null;
    const now = header.now?.name ?? null;
    if (moved) {
      const { from, to } = moved;
      if (from === null || to === null)
        throw new Invalid(line, `\`${moved.kind} from\` and \`${moved.kind} to\` come together`);
      if (from === to) throw new Invalid(line, `a ${moved.kind} needs two names`);
      const agrees = header.old === null || (old !== null && now !== null && means(old, from) && means(now, to));
      if (!agrees) throw new Invalid(line, "the names after `---` and `+++` are not those of the file above");
      return [from, to];
    }
    if (kind === "create" && isGit && header.old !== null && old !== null) {
      throw new Invalid(line, "the old name of a new file is /dev/null");
    }
    if (kind === "delete" && isGit && header.now !== null && now !== null) {
      throw new Invalid(line, "the new name of a deleted file is /dev/null");
    }
    if (header.old === null) {
      if (path === null) throw new Invalid(line, "the names in this line are not of one file");
      return [path, path];
    }
    if (path !== null) {
      if ((old !== null && !means(old, path)) || (now !== null && !means(now, path))) {
        throw new Invalid(line, "the names after `---` and `+++` are not those of the line `diff --git`");
      }
      return [path, path];
    }
    if (old !== null && now !== null) {
      const common =
        commonPath(old, now) ??
        (this.#file !== "" && (means(old, this.#file) || means(now, this.#file)) ? this.#file : null);
      if (common === null) throw new Invalid(line, "the names after `---` and `+++` are of two files");
      return [common, common];
    }
    const name = old !== null ? withoutPrefix(old, "a/") : now !== null ? withoutPrefix(now, "b/") : null;
    if (name === null) throw new Invalid(line, "both names are /dev/null");
    return [name, name];
  }

  /** A line without its ending; empty past the end. */
  #line(line: number): string {
    return line <= this.#text.lineCount ? this.#text.lineText(line) : "";
  }
}

const EMPTY = {
  isGit: false,
  path: null,
  old: null,
  now: null,
  made: null,
  isDeleted: false,
  oldMode: null,
  newMode: null,
  moved: null,
} satisfies Partial<Header>;

const counted = (old: number, now: number): string => `${old} old and ${now} new lines`;

/** What diff programs write between files, and says nothing. */
function isBetween(line: string): boolean {
  return (
    line === "" ||
    line.startsWith("Index: ") ||
    /^={10,}$/.test(line.slice(0, 200)) ||
    /^diff (?!--)\S/.test(line) ||
    line.startsWith("diff -")
  );
}
