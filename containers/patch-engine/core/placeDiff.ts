import { Buffer } from "node:buffer";
import { fail, type Failed, type VibeError } from "@shared/contracts";
import { Block } from "./block.ts";
import { candidate, contextAround, countOf, MAX_CANDIDATES, shownLine } from "./context.ts";
import { countAll, placesOfRun } from "./lineSearch.ts";
import { kindOf, type Hunk } from "./hunk.ts";
import type { FileChange } from "./parseDiff.ts";
import { eolNear, type Placed, type Resolved, type TextToEdit } from "./resolve.ts";
import { TextFile } from "./textFile.ts";

const LF = 0x0a;
const CR = 0x0d;
const BOM = Buffer.of(0xef, 0xbb, 0xbf);

/** A hunk's lines of the state before, as lines of the diff, and whether they say that no newline ends the last. */
interface OldSide {
  hunk: Hunk;
  lines: number[];
  isOpen: boolean;
}

/**
 * Finds where a file's hunks stand and what they replace. A hunk is taken where its header says, if its context and
 * removed lines stand there; else where they stand, if that is one place of the file. Only added and removed lines
 * become edits. Where no line of the file's diff has a CR, line endings are not compared and added lines take those
 * around them; else both are taken byte for byte. Linear in diff and file.
 * STALE_CONTENT with the first difference, AMBIGUOUS_LOCATION with the places, RANGE_OUT_OF_BOUNDS.
 */
export function placeDiff(diff: TextFile, change: FileChange, target: TextToEdit, owner: number): Resolved {
  return new Placing(diff, change, target, owner).run();
}

/** Whether a diff that deletes a file holds all of it; the error where it does not. */
export function checkDeletion(diff: TextFile, change: FileChange, target: TextToEdit): VibeError | null {
  return new Placing(diff, change, target, 0).deletes();
}

/** All lines that a file's only hunk adds: what a diff that makes a file puts into it. */
export function addedText(diff: TextFile, { hunks }: FileChange): string {
  const [hunk] = hunks;
  if (!hunk) return "";
  const isOpen = kindOf(diff, hunk.last) === "\\" && kindOf(diff, hunk.last - 1) === "+";
  const lines: string[] = [];
  for (let line = hunk.first; line <= hunk.last; line++) {
    if (kindOf(diff, line) !== "+") continue;
    lines.push(diff.bytes.toString("utf8", diff.startOf(line) + 1, rawEnd(diff, line)));
  }
  return lines.length === 0 ? "" : lines.join("\n") + (isOpen ? "" : "\n");
}

/** The byte after a line, its LF left out and a CR before that kept. */
function rawEnd(text: TextFile, line: number): number {
  const end = text.endOf(line);
  return end > text.startOf(line) && text.bytes[end - 1] === LF ? end - 1 : end;
}

class Placing {
  readonly #diff: TextFile;
  readonly #change: FileChange;
  readonly #target: TextToEdit;
  readonly #text: TextFile;
  readonly #owner: number;
  /** Whether line endings are compared. */
  readonly #isExact: boolean;

  constructor(diff: TextFile, change: FileChange, target: TextToEdit, owner: number) {
    this.#diff = diff;
    this.#change = change;
    this.#target = target;
    this.#text = target.text;
    this.#owner = owner;
    this.#isExact = change.hunks.some(({ first, last }) => {
      for (let line = first; line <= last; line++) if (diff.bytes[rawEnd(diff, line) - 1] === CR) return true;
      return false;
    });
  }

  run(): Resolved {
    const sides = this.#change.hunks.map((hunk) => this.#oldSide(hunk));
    if (sides[0] && this.#isBomAlone(sides[0])) {
      const end = kindOf(this.#diff, sides[0].lines[0] ?? 0) === "-" ? BOM.length : 0;
      const text = Buffer.from(addedText(this.#diff, this.#change));
      return { ok: true, placed: [{ owner: this.#owner, kind: "bytes", start: 0, end, text }], moved: 0 };
    }
    const found = this.#locate(sides);
    if (!found.ok) return found;
    const placed: Placed[] = [];
    let moved = 0;
    let free = 1;
    for (const [i, side] of sides.entries()) {
      const { hunk, lines } = side;
      const first = found.places[i] ?? 1;
      if (first < free) {
        return this.#stale(
          side,
          `stands at line ${first} of ${this.#target.file}, before the end of the hunk above it`,
        );
      }
      free = first + lines.length;
      const by = first - statedLine(hunk);
      if (moved === 0) moved = by;
      const refused = this.#edits(side, first, placed);
      if (refused) return refused;
    }
    return { ok: true, placed, moved };
  }

  deletes(): VibeError | null {
    const [hunk] = this.#change.hunks;
    const count = this.#text.lineCount;
    const side: OldSide = hunk
      ? this.#oldSide(hunk)
      : { hunk: { oldStart: 1, oldCount: 0, line: this.#change.line, first: 1, last: 0 }, lines: [], isOpen: false };
    if (this.#isBomAlone(side)) return null;
    if (side.lines.length === count && (count === 0 || this.#standsAt(side, 1))) return null;
    return this.#stale(side, "deletes the file, which holds something else").error;
  }

  /** A file of nothing but a byte order mark has no lines here, and one for git. */
  #isBomAlone({ lines, isOpen }: OldSide): boolean {
    const [line] = lines;
    return (
      this.#text.bytes.length === BOM.length &&
      this.#text.bomLength > 0 &&
      line !== undefined &&
      lines.length === 1 &&
      isOpen &&
      this.#hasBom(line) &&
      rawEnd(this.#diff, line) === this.#diff.startOf(line) + 1 + BOM.length
    );
  }

  #oldSide(hunk: Hunk): OldSide {
    const lines: number[] = [];
    let isOpen = false;
    let isOld = false;
    for (let line = hunk.first; line <= hunk.last; line++) {
      const kind = kindOf(this.#diff, line);
      if (kind === "\\") isOpen ||= isOld;
      else if ((isOld = kind !== "+")) lines.push(line);
    }
    return { hunk, lines, isOpen };
  }

  /** The file's line at which each hunk's old side begins; of an insertion without context, the line it stands before. */
  #locate(sides: readonly OldSide[]): { ok: true; places: number[] } | Failed {
    const places = sides.map((side) => (this.#standsAt(side, statedLine(side.hunk)) ? statedLine(side.hunk) : 0));
    const missing = sides.filter((side, i) => places[i] === 0 && side.lines.length > 0);
    if (missing.length > 0) {
      const refused = this.#search(sides, places, missing);
      if (refused) return refused;
    }
    const hasMoved = sides.some(({ hunk }, i) => places[i] !== 0 && places[i] !== statedLine(hunk));
    for (const [i, side] of sides.entries()) {
      const { hunk, lines } = side;
      if (lines.length > 0) continue;
      if (places[i] === 0) {
        const { file, text, sha256 } = this.#target;
        return fail(
          "RANGE_OUT_OF_BOUNDS",
          `The hunk at line ${hunk.line} of the diff inserts after line ${hunk.oldStart}; ${file} has ${countOf(text.lineCount, "line")}.`,
          { file, currentSha256: sha256(), ...contextAround(text, hunk.oldStart) },
        );
      }
      if (hasMoved) return this.#stale(side, "has no context, and other hunks of the file have moved");
    }
    return { ok: true, places };
  }

  /** Fills in the places of hunks that do not stand where they say. */
  #search(sides: readonly OldSide[], places: number[], missing: readonly OldSide[]): Failed | null {
    const numbers = new Map<string, number>();
    const text = this.#text;
    const file = Int32Array.from({ length: text.lineCount }, (_, i) => {
      const key = text.bytes.toString("latin1", text.startOf(i + 1), this.#fileEnd(i + 1));
      const known = numbers.get(key);
      if (known !== undefined) return known;
      numbers.set(key, numbers.size);
      return numbers.size - 1;
    });
    const runs = missing.map(({ lines, hunk }) =>
      Int32Array.from(lines, (line, i) => {
        const start = this.#contentStart(line, i === 0 && hunk.oldStart <= 1);
        return numbers.get(this.#diff.bytes.toString("latin1", start, rawEnd(this.#diff, line))) ?? -1;
      }),
    );
    const standings = countAll(file, runs);
    for (const [k, side] of missing.entries()) {
      const { count, first } = standings[k] ?? { count: 0, first: -1 };
      const end = first + side.lines.length;
      if (count === 0 || (side.isOpen && count === 1 && (end !== text.lineCount || text.terminated))) {
        return this.#stale(
          side,
          `does not stand at line ${statedLine(side.hunk)} of ${this.#target.file}, nor anywhere else in it`,
        );
      }
      if (count > 1) return this.#ambiguous(side, placesOfRun(file, runs[k] ?? new Int32Array(0), MAX_CANDIDATES + 1));
      places[sides.indexOf(side)] = first + 1;
    }
    return null;
  }

  #standsAt({ hunk, lines, isOpen }: OldSide, first: number): boolean {
    const { lineCount, terminated } = this.#text;
    const last = first + lines.length - 1;
    if (first < 1 || last > lineCount) return false;
    if (isOpen && (last !== lineCount || terminated)) return false;
    return lines.every((line, i) => this.#isSame(line, first + i, i === 0 && hunk.oldStart <= 1));
  }

  #isSame(line: number, fileLine: number, mayHaveBom: boolean): boolean {
    const start = this.#contentStart(line, mayHaveBom && fileLine === 1);
    const end = rawEnd(this.#diff, line);
    const from = this.#text.startOf(fileLine);
    const to = this.#fileEnd(fileLine);
    return end - start === to - from && this.#text.bytes.compare(this.#diff.bytes, start, end, from, to) === 0;
  }

  #fileEnd(line: number): number {
    return this.#isExact ? rawEnd(this.#text, line) : this.#text.contentEnd(line);
  }

  /** Where a line's content begins in the diff; behind the byte order mark that the file has before its first line. */
  #contentStart(line: number, isFirst: boolean): number {
    const begin = this.#diff.startOf(line);
    // An empty context line may have lost its space.
    const start = begin < this.#diff.contentEnd(line) ? begin + 1 : begin;
    return isFirst && this.#hasBom(line) ? start + BOM.length : start;
  }

  #hasBom(line: number): boolean {
    const start = this.#diff.startOf(line) + 1;
    return this.#text.bomLength > 0 && this.#diff.bytes.subarray(start, start + BOM.length).equals(BOM);
  }

  /** Makes edits of a hunk's runs of removed and added lines; the error where it ends a file that goes on. */
  #edits(side: OldSide, first: number, placed: Placed[]): Failed | null {
    const { hunk, lines, isOpen } = side;
    const text = this.#text;
    const isAtEnd = first + lines.length - 1 === text.lineCount;
    const hasLf = lines.length > 0 && lines.every((_, i) => text.eolOf(first + i) !== "\r\n");
    let fileLine = first;
    for (let line = hunk.first; line <= hunk.last;) {
      const kind = kindOf(this.#diff, line);
      if (kind === " " || kind === "\\") {
        if (kind === " ") fileLine++;
        line++;
        continue;
      }
      const from = fileLine;
      const added: number[] = [];
      let isLastOpen = false;
      for (let before = kind; line <= hunk.last; line++) {
        const next = kindOf(this.#diff, line);
        if (next === "-") fileLine++;
        else if (next === "+") added.push(line);
        else if (next === "\\") isLastOpen ||= before === "+";
        else break;
        before = next === "\\" ? before : next;
      }
      const endsFile = isAtEnd && fileLine > text.lineCount;
      if (isLastOpen && !endsFile) {
        return this.#stale(side, `says that the file ends with it, but ${this.#target.file} goes on`);
      }
      const eol = this.#isExact || hasLf ? "\n" : eolNear(text, from, fileLine - 1);
      const contents = added.map((one) => {
        return this.#diff.bytes.toString("utf8", this.#contentStart(one, false), rawEnd(this.#diff, one));
      });
      const isSilent = endsFile && !text.terminated && !isOpen;
      if (text.lineCount === 0 || isSilent) {
        const block = new Block(contents.join(eol) + (isLastOpen && !isSilent ? "" : eol));
        placed.push(this.#lines(from, fileLine - 1, contents.length === 0 ? new Block("") : block));
        continue;
      }
      // A diff that shows the mark puts lines before it as well.
      const isWithBom = from === 1 && lines[0] !== undefined && this.#hasBom(lines[0]);
      const start = isWithBom ? 0 : text.startOf(from);
      const end = fileLine > from ? text.endOf(fileLine - 1) : start;
      const bytes = Buffer.from(
        contents.map((one, i) => (isLastOpen && i === contents.length - 1 ? one : one + eol)).join(""),
      );
      const changesEnd = endsFile && text.terminated === isLastOpen;
      placed.push({ owner: this.#owner, kind: "bytes", start, end, text: bytes, changesEnd });
    }
    return null;
  }

  /** Lines at the end of a file that no newline ends, of which the diff does not speak: it stays so. */
  #lines(first: number, last: number, block: Block): Placed {
    const owner = this.#owner;
    if (last < first) return { owner, kind: "insert", gap: first, block, openSpace: false };
    if (block.isEmpty) return { owner, kind: "delete", first, last };
    return { owner, kind: "replace", first, last, block, openSpace: false };
  }

  #stale({ hunk, lines }: OldSide, why: string): Failed {
    const { file, sha256 } = this.#target;
    const first = statedLine(hunk);
    const at = lines.findIndex((line, i) => !this.#isThere(line, first + i, i === 0 && hunk.oldStart <= 1));
    const index = at === -1 ? lines.length : at;
    const expected = lines[index];
    const line = first + index;
    return fail("STALE_CONTENT", `The hunk at line ${hunk.line} of the diff ${why}.`, {
      file,
      currentSha256: sha256(),
      ...contextAround(this.#text, first),
      firstDivergence: {
        line,
        expected:
          expected === undefined
            ? null
            : shownLine(
                this.#diff.bytes.toString("utf8", this.#contentStart(expected, false), rawEnd(this.#diff, expected)),
              ),
        actual: line <= this.#text.lineCount ? shownLine(this.#shownActual(line)) : null,
      },
    });
  }

  #isThere(line: number, fileLine: number, mayHaveBom: boolean): boolean {
    return fileLine <= this.#text.lineCount && this.#isSame(line, fileLine, mayHaveBom);
  }

  #shownActual(line: number): string {
    return this.#text.bytes.toString("utf8", this.#text.startOf(line), this.#fileEnd(line));
  }

  #ambiguous({ hunk, lines }: OldSide, places: readonly number[]): Failed {
    const { file, sha256 } = this.#target;
    const many = places.length > MAX_CANDIDATES ? `more than ${MAX_CANDIDATES}` : String(places.length);
    return fail(
      "AMBIGUOUS_LOCATION",
      `The hunk at line ${hunk.line} of the diff does not stand at line ${statedLine(hunk)} of ${file}, and stands in ${many} other places.`,
      {
        file,
        currentSha256: sha256(),
        ...contextAround(this.#text, statedLine(hunk)),
        candidates: places
          .slice(0, MAX_CANDIDATES)
          .map((place) => candidate(this.#text, place + 1, place + lines.length)),
      },
    );
  }
}

/** The line that a hunk says it begins at: an insertion's is the one after the line it names. */
const statedLine = ({ oldStart, oldCount }: Hunk): number => (oldCount === 0 ? oldStart + 1 : oldStart);
