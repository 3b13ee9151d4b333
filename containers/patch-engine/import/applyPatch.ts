import { Refused, type Draft } from "./draft.ts";

const BEGIN = "*** Begin Patch";
const END = "*** End Patch";
const ADD = "*** Add File: ";
const DELETE = "*** Delete File: ";
const UPDATE = "*** Update File: ";
const MOVE = "*** Move to: ";
const END_OF_FILE = "*** End of File";

/**
 * The envelope `*** Begin Patch` … `*** End Patch`: files added, deleted and updated, with `@@` lines that name what
 * stands before a change. Prose and a shell's here-document around it are left out; within it nothing is.
 */
export function readApplyPatch(lines: readonly string[]): Draft[] {
  const begin = lines.findIndex((line) => line.trim() === BEGIN);
  if (begin === -1) throw new Refused(1, `expected a line \`${BEGIN}\``);
  const reader = new Reader(lines, begin + 1);
  return reader.read();
}

class Reader {
  readonly #lines: readonly string[];
  readonly #drafts: Draft[] = [];
  #at: number;
  /** The first line from where was last asked that is not blank. */
  #text = -1;

  constructor(lines: readonly string[], at: number) {
    this.#lines = lines;
    this.#at = at;
  }

  read(): Draft[] {
    for (;;) {
      const line = this.#lines[this.#at];
      if (line === undefined)
        throw new Refused(this.#lines.length, `the text ends within the patch: expected \`${END}\``);
      if (line.trim() === END) break;
      if (line.trim() === "") this.#at++;
      else if (line.startsWith(ADD)) this.#add(this.#path(line, ADD));
      else if (line.startsWith(DELETE)) {
        this.#drafts.push({ kind: "delete", file: this.#path(line, DELETE), line: this.#at + 1 });
        this.#at++;
      } else if (line.startsWith(UPDATE)) this.#update(this.#path(line, UPDATE));
      else
        throw new Refused(
          this.#at + 1,
          `expected \`${ADD.trim()}\`, \`${UPDATE.trim()}\`, \`${DELETE.trim()}\` or \`${END}\``,
        );
    }
    if (this.#drafts.length === 0) throw new Refused(this.#at + 1, "expected a file before the end of the patch");
    return this.#drafts;
  }

  #path(line: string, prefix: string): string {
    const path = line.slice(prefix.length).trim().replace(/^\.\//, "");
    if (path === "") throw new Refused(this.#at + 1, "expected a file's name");
    return path;
  }

  #isOver(): boolean {
    const line = this.#lines[this.#at];
    return line === undefined || (line.startsWith("*** ") && line.trim() !== END_OF_FILE);
  }

  #add(file: string): void {
    const line = this.#at + 1;
    const content: string[] = [];
    for (this.#at++; !this.#isOver(); this.#at++) {
      const own = this.#lines[this.#at] ?? "";
      if (own.startsWith("+")) content.push(own.slice(1));
      // Blank lines at the end of a part are not of it.
      else if (own.trim() === "" && this.#isBlankUntilOver()) continue;
      else throw new Refused(this.#at + 1, "expected a line of the new file, which begins with `+`");
    }
    this.#drafts.push({ kind: "create", file, line, content: content.length === 0 ? "" : `${content.join("\n")}\n` });
  }

  /** Whether only blank lines stand between here and the next part. */
  #isBlankUntilOver(): boolean {
    // Each line is looked at once, however many blank ones stand together.
    if (this.#text < this.#at) {
      this.#text = this.#at;
      while ((this.#lines[this.#text] ?? "*").trim() === "") this.#text++;
    }
    const line = this.#lines[this.#text];
    return line === undefined || line.startsWith("*** ");
  }

  #update(file: string): void {
    const line = this.#at + 1;
    this.#at++;
    const moved = this.#lines[this.#at] ?? "";
    const before = this.#drafts.length;
    if (moved.startsWith(MOVE)) {
      this.#drafts.push({ kind: "rename", file, line: this.#at + 1, to: this.#path(moved, MOVE) });
      this.#at++;
    }
    while (!this.#isOver()) this.#change(file);
    if (this.#drafts.length === before) throw new Refused(line, `the update of ${file} changes nothing`);
  }

  #change(file: string): void {
    const anchors: string[] = [];
    for (let own = this.#lines[this.#at] ?? ""; own.startsWith("@@"); own = this.#lines[++this.#at] ?? "") {
      const anchor = own.replace(/^@@+ ?/, "").replace(/ ?@@+\s*$/, "");
      // Some write a unified diff's header here: its numbers are not to be trusted, what follows them is an anchor.
      const named = anchor.replace(/^-\d+(?:,\d+)? \+\d+(?:,\d+)?(?: @@)? ?/, "");
      if (named.trim() !== "") anchors.push(named);
    }
    const line = this.#at + 1;
    const old: string[] = [];
    const now: string[] = [];
    let isAtEnd = false;
    let changes = 0;
    for (; !this.#isOver(); this.#at++) {
      const own = this.#lines[this.#at] ?? "";
      if (own.startsWith("@@")) break;
      if (own.trim() === END_OF_FILE) {
        isAtEnd = true;
        this.#at++;
        break;
      }
      if (own === "" && this.#isBlankUntilOver()) continue;
      const mark = own[0] ?? " ";
      if (mark !== " " && mark !== "+" && mark !== "-" && mark !== "\t") {
        throw new Refused(this.#at + 1, "expected a line that begins with a space, `+` or `-`");
      }
      // A tab in the first column is an indented line whose space was lost.
      const content = mark === "\t" ? own : own.slice(1);
      if (mark !== "+") old.push(content);
      if (mark !== "-") now.push(content);
      if (mark === "+" || mark === "-") changes++;
    }
    if (changes === 0) {
      if (old.every((one) => one.trim() === "") && anchors.length === 0) return;
      throw new Refused(line, "expected added or removed lines after `@@`");
    }
    this.#drafts.push({ kind: "hunk", file, line, old, now, anchors, isFirm: true, isAtEnd });
  }
}
