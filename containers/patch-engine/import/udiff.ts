import type { FileMode } from "@shared/contracts";
import { commonPath, labelled, pathOfGitLine, withoutPrefix } from "../core/diffNames.ts";
import { closes, fenceOf, Refused, type Draft } from "./draft.ts";

interface Line {
  text: string;
  /** In the whole text, from 1. */
  at: number;
}

/** Numbers are looked at, and never trusted: counts not at all, the start only where the lines stand there. */
const HEADER = /^@@+(?: -(\d{1,9})(?:,\d{0,9})? \+\d{1,9}(?:,\d{0,9})? @@+)?/;

/** The text's parts that are a diff: what its fences hold, else all of it. */
export function diffLines(lines: readonly string[]): { lines: Line[]; isFenced: boolean } {
  const fenced: Line[] = [];
  for (let i = 0; i < lines.length; i++) {
    const fence = fenceOf(lines[i] ?? "");
    if (!fence) continue;
    let end = i + 1;
    while (end < lines.length && !(closes(lines[end] ?? "", fence.mark) && !(lines[end] ?? "").startsWith(" "))) end++;
    const body = lines.slice(i + 1, end).map((text, k) => ({ text, at: i + 2 + k }));
    if (/^(?:diff|patch|udiff)\b/i.test(fence.info) || body.some(({ text }) => text.startsWith("@@"))) {
      if (end === lines.length)
        throw new Refused(end, `the text ends within the block of line ${i + 1}: expected \`${fence.mark}\``);
      fenced.push(...body);
    }
    i = end;
  }
  if (fenced.length > 0) return { lines: fenced, isFenced: true };
  return { lines: lines.map((text, i) => ({ text, at: i + 1 })), isFenced: false };
}

interface Section {
  line: number;
  path: string | null;
  old: string | null | undefined;
  now: string | null | undefined;
  renameFrom: string | null;
  renameTo: string | null;
  oldMode: FileMode | null;
  mode: FileMode | null;
  isNew: boolean;
  isDeleted: boolean;
  hunks: { line: number; at: number | undefined; anchor: string; body: Line[] }[];
}

/**
 * A unified diff as models write it: counts and line numbers in `@@` lines may be wrong or missing, context lines may
 * lack their space, prose may stand before and after it.
 */
export function readUdiff(text: readonly string[]): Draft[] {
  const { lines, isFenced } = diffLines(text);
  const sections: Section[] = [];
  for (let i = 0; i < lines.length;) {
    const line = lines[i];
    if (!line) break;
    const own = sections.at(-1);
    if (line.text.startsWith("diff --git ")) {
      const made = { ...section(line.at), path: pathOfGitLine(line.text.slice(11)) };
      sections.push(made);
      i = readExtended(lines, i + 1, made);
    } else if (isNames(lines, i)) {
      const target = own && own.old === undefined && own.hunks.length === 0 ? own : section(line.at);
      if (target !== own) sections.push(target);
      target.old = nameIn(line);
      target.now = nameIn(lines[i + 1] ?? line);
      i += 2;
    } else if (line.text.startsWith("@@")) {
      if (!own) throw new Refused(line.at, "expected `---` and `+++` with the file's name before the first hunk");
      const header = HEADER.exec(line.text.slice(0, 200));
      const end = bodyEnd(lines, i + 1, isFenced);
      const anchor = line.text
        .slice(header?.[0].length ?? 2)
        .replace(/@@+\s*$/, "")
        .trim();
      own.hunks.push({
        line: line.at,
        at: header?.[1] === undefined ? undefined : Number(header[1]),
        anchor: header?.[1] === undefined && !/^[.…\s]*$/.test(anchor) ? anchor : "",
        body: lines.slice(i + 1, end),
      });
      i = end;
    } else if (/^(?:Binary files .* differ|GIT binary patch)/.test(line.text.slice(0, 4096))) {
      throw new Refused(line.at, "the diff is of a binary file");
    } else if (own && own.old !== undefined && own.hunks.length === 0 && line.text.trim() !== "") {
      throw new Refused(line.at, "expected a hunk, which begins with `@@`");
    } else i++;
  }
  if (sections.length === 0) throw new Refused(1, "expected `diff --git`, or `---` and `+++` with the file's name");
  return sections.flatMap(draftsOf);
}

const section = (line: number): Section => ({
  line,
  path: null,
  old: undefined,
  now: undefined,
  renameFrom: null,
  renameTo: null,
  oldMode: null,
  mode: null,
  isNew: false,
  isDeleted: false,
  hunks: [],
});

const isNames = (lines: readonly Line[], i: number): boolean =>
  (lines[i]?.text.startsWith("--- ") ?? false) && (lines[i + 1]?.text.startsWith("+++ ") ?? false);

function nameIn({ text, at }: Line): string | null {
  const label = labelled(text.slice(4).trimEnd());
  if (!label || label.name === "") throw new Refused(at, "expected a file's name");
  return label.name;
}

function readExtended(lines: readonly Line[], from: number, into: Section): number {
  let i = from;
  for (; i < lines.length; i++) {
    const text = lines[i]?.text ?? "";
    const mode = (): FileMode => {
      if (text.endsWith(" 100755")) return "100755";
      if (text.endsWith(" 100644")) return "100644";
      throw new Refused(lines[i]?.at ?? 1, "expected the mode 100644 or 100755");
    };
    if (text.startsWith("new file mode ")) [into.isNew, into.mode] = [true, mode()];
    else if (text.startsWith("deleted file mode ")) into.isDeleted = true;
    else if (text.startsWith("old mode ")) into.oldMode = mode();
    else if (text.startsWith("new mode ")) into.mode = mode();
    else if (text.startsWith("rename from ")) into.renameFrom = text.slice(12);
    else if (text.startsWith("rename to ")) into.renameTo = text.slice(10);
    else if (text.startsWith("copy from "))
      throw new Refused(lines[i]?.at ?? 1, "a copy is taken only from a diff without faults");
    else if (!/^(?:index |similarity |dissimilarity )/.test(text)) break;
  }
  return i;
}

/**
 * Where a hunk's body ends: before the next header, and before prose. A line without a mark is a context line whose
 * space was lost where lines with marks follow it in the same hunk, and within a fence.
 */
function bodyEnd(lines: readonly Line[], from: number, isFenced: boolean): number {
  let next = from;
  while (next < lines.length) {
    const text = lines[next]?.text ?? "";
    if (text.startsWith("@@") || text.startsWith("diff --git ") || isNames(lines, next)) break;
    next++;
  }
  let end = next;
  const hasMark = (i: number) => /^[ +\\-]/.test(lines[i]?.text ?? "");
  if (!isFenced) {
    let last = end - 1;
    while (last >= from && !/^[+\\-]/.test(lines[last]?.text ?? "")) last--;
    let after = last + 1;
    while (after < end && hasMark(after)) after++;
    end = after;
  }
  while (end > from && lines[end - 1]?.text === "") end--;
  return end;
}

function draftsOf(own: Section): Draft[] {
  const { line } = own;
  const drafts: Draft[] = [];
  const isNew = own.isNew || own.old === null;
  const isDeleted = own.isDeleted || own.now === null;
  const file = own.renameFrom ?? pathOfSection(own, isNew);
  if (isDeleted) return [{ kind: "delete", file, line }];
  if (isNew) {
    const body = own.hunks.flatMap((hunk) => hunk.body).filter(({ text }) => !text.startsWith("\\"));
    const wrong = body.find(({ text }) => text.startsWith("-"));
    if (wrong) throw new Refused(wrong.at, "expected an added line: the file is new");
    const content = body.map(({ text }) => (text.startsWith("+") ? text.slice(1) : text));
    const isOpen = own.hunks.at(-1)?.body.at(-1)?.text.startsWith("\\") === true;
    const ended = content.length === 0 || isOpen ? "" : "\n";
    return [{ kind: "create", file, line, content: content.join("\n") + ended, ...(own.mode && { mode: own.mode }) }];
  }
  for (const hunk of own.hunks) {
    const old: string[] = [];
    const now: string[] = [];
    // Of lines whose space may be lost: the whole of each context line.
    const unmarked: { old: string[]; now: string[] } = { old: [], now: [] };
    let changes = 0;
    for (const { text } of hunk.body) {
      if (text.startsWith("\\")) continue;
      const mark = text[0];
      const content = mark === " " || mark === "+" || mark === "-" ? text.slice(1) : text;
      if (mark !== "+") old.push(content);
      if (mark !== "-") now.push(content);
      if (mark === "+" || mark === "-") changes++;
      if (mark !== "+") unmarked.old.push(mark === "-" ? content : text);
      if (mark !== "-") unmarked.now.push(mark === "+" ? content : text);
    }
    // A hunk of context alone changes nothing and says nothing wrong.
    if (changes === 0) continue;
    const isInsertion = old.length === 0 && hunk.at !== undefined;
    drafts.push({
      kind: "hunk",
      file,
      line: hunk.line,
      old,
      now,
      otherwise: unmarked,
      ...(hunk.at === undefined ? {} : { at: isInsertion ? hunk.at + 1 : hunk.at }),
      ...(hunk.anchor === "" ? {} : { anchors: [hunk.anchor] }),
    });
  }
  if (own.mode !== null && own.oldMode !== null)
    drafts.push({ kind: "mode", file, line, oldMode: own.oldMode, mode: own.mode });
  if (own.renameTo !== null) drafts.push({ kind: "rename", file, line, to: own.renameTo });
  if (drafts.length === 0) throw new Refused(line, `expected a change of ${file}`);
  return drafts;
}

function pathOfSection({ line, path, old, now }: Section, isNew: boolean): string {
  if (path !== null) return path;
  if (typeof old === "string" && typeof now === "string") {
    const common =
      commonPath(old, now) ?? (withoutPrefix(old, "a/") === withoutPrefix(now, "b/") ? withoutPrefix(now, "b/") : null);
    // `--- a/x` and `+++ a/x`.
    if (common !== null) return old === now && old.startsWith("a/") ? old.slice(2) : common;
    if (isNew) return withoutPrefix(now, "b/");
    throw new Refused(line, "the names after `---` and `+++` are of two files");
  }
  const name =
    typeof old === "string" ? withoutPrefix(old, "a/") : typeof now === "string" ? withoutPrefix(now, "b/") : null;
  if (name === null) throw new Refused(line, "expected a file's name");
  return name;
}
