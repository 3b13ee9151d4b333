import { fail, type Candidate, type Failed } from "@shared/contracts";
import type { FileLines, Slack } from "./FileLines.ts";

const MAX_CANDIDATES = 20;

/** Where lines stand: `start` from 1, and the lines that take their place, indented as the file is. */
export interface Located {
  start: number;
  now: string[];
  /** What was overlooked to find them. */
  slack: Slack;
}

export interface Wanted {
  file: string;
  /** The imported text's line that asks for it. */
  line: number;
  old: readonly string[];
  now: readonly string[];
  at?: number;
  anchors?: readonly string[];
  isFirm?: boolean;
  isAtEnd?: boolean;
}

/**
 * Finds lines in a file: exactly, else but for white space at line ends, else but for one indentation that all of them
 * have more or less than the file. At the stated line, or where the anchors lead, or where they stand once; several
 * places are AMBIGUOUS_LOCATION with the candidates, none is STALE_CONTENT with the first difference at the likeliest.
 */
export function locate(file: FileLines, wanted: Wanted): { ok: true; located: Located } | Failed {
  const { old, now, at } = wanted;
  if (old.length === 0) return locateNothing(file, wanted);
  if (at !== undefined && file.standsAt(old, at) && !wanted.isFirm && !wanted.isAtEnd) {
    return { ok: true, located: { start: at, now: [...now], slack: "none" } };
  }
  const scope = scopeOf(file, wanted);
  if (!scope.ok) return scope;
  for (const slack of ["none", "trailing white space", "indentation"] as const) {
    const places = placesAt(file, old, slack);
    const choice = places.filter((place) => place.start >= scope.first && place.end <= scope.last);
    const within = wanted.isAtEnd ? choice.filter(({ end }) => end === file.length) : choice;
    const stated = within.find(({ start }) => start === at);
    // A place outside of where the anchors lead is better than none, but only when it is the only one.
    const only =
      stated ?? (within.length === 1 ? within[0] : within.length === 0 && places.length === 1 ? places[0] : undefined);
    if (only) return { ok: true, located: { start: only.start, now: only.reindent([...now]), slack } };
    if (places.length > 0) return ambiguous(file, wanted, within.length > 0 ? within : places);
  }
  return stale(file, wanted);
}

interface Place {
  start: number;
  end: number;
  reindent: (lines: string[]) => string[];
}

const asIs = (lines: string[]): string[] => lines;

function placesAt(file: FileLines, old: readonly string[], slack: Slack): Place[] {
  return file.placesOf(old, slack, MAX_CANDIDATES + 1).flatMap((start) => {
    const place = { start, end: start + old.length - 1 };
    if (slack !== "indentation") return [{ ...place, reindent: asIs }];
    const reindent = shiftOf(old, file.slice(start, old.length));
    return reindent ? [{ ...place, reindent }] : [];
  });
}

const indentOf = (line: string): string => /^[ \t]*/.exec(line)?.[0] ?? "";

/** How to indent lines as the file does, where all of the old ones differ from it by the same; null where they do not. */
function shiftOf(old: readonly string[], actual: readonly string[]): ((lines: string[]) => string[]) | null {
  let more: string | null = null;
  let less: string | null = null;
  for (const [i, line] of old.entries()) {
    if (line.trim() === "") continue;
    const [own, real] = [indentOf(line), indentOf(actual[i] ?? "")];
    const added = real.endsWith(own) ? real.slice(0, real.length - own.length) : null;
    const taken = own.endsWith(real) ? own.slice(0, own.length - real.length) : null;
    if (added === null && taken === null) return null;
    if (more === null && less === null) [more, less] = [added, taken];
    else {
      if (more !== added) more = null;
      if (less !== taken) less = null;
    }
    if (more === null && less === null) return null;
  }
  return (lines) =>
    lines.map((line) => {
      if (line.trim() === "") return line;
      if (more !== null) return more + line;
      return less !== null && line.startsWith(less) ? line.slice(less.length) : line;
    });
}

function locateNothing(file: FileLines, wanted: Wanted): { ok: true; located: Located } | Failed {
  const found = (start: number) => ({
    ok: true as const,
    located: { start, now: [...wanted.now], slack: "none" as const },
  });
  if (file.length === 0) return found(1);
  if (wanted.isAtEnd) return found(file.length + 1);
  if (wanted.at !== undefined && wanted.at <= file.length + 1) return found(wanted.at);
  const scope = scopeOf(file, wanted);
  if (!scope.ok) return scope;
  if (scope.first > 1) return found(scope.first);
  return refuse(wanted, "AMBIGUOUS_LOCATION", `names no line of ${wanted.file} to stand at: give lines around it`, {
    candidates: [],
  });
}

/** The lines in which anchors place something: from behind the last anchor to the end of the block it opens. */
function scopeOf(file: FileLines, wanted: Wanted): { ok: true; first: number; last: number } | Failed {
  let first = 1;
  let last = file.length;
  for (const anchor of wanted.anchors ?? []) {
    const text = anchor.trim();
    let lines = file.linesLike(text, first, last);
    for (let line = first; line <= last && lines.length === 0; line++) {
      // None is it as a whole: those that begin with it.
      if (file.lines[line - 1]?.trimStart().startsWith(text)) {
        lines = linesBegun(file, text, line, last);
      }
    }
    const [only] = lines;
    if (only === undefined) {
      if (!wanted.isFirm) return { ok: true, first: 1, last: file.length };
      return refuse(
        wanted,
        "STALE_CONTENT",
        `looks for the line ${JSON.stringify(text)}, which ${wanted.file} does not have`,
        {},
      );
    }
    if (lines.length > 1) {
      // What is looked for may still stand only once.
      const places = placesAt(file, wanted.old, "none");
      if (places.length === 1 || !wanted.isFirm) return { ok: true, first: 1, last: file.length };
      return ambiguous(
        file,
        wanted,
        lines.map((line) => ({ start: line, end: line })),
        `the line ${JSON.stringify(text)}`,
      );
    }
    first = only + 1;
    last = blockEnd(file, only);
  }
  return { ok: true, first, last };
}

function linesBegun(file: FileLines, text: string, first: number, last: number): number[] {
  const lines: number[] = [];
  for (let line = first; line <= last && lines.length <= MAX_CANDIDATES; line++) {
    if (file.lines[line - 1]?.trimStart().startsWith(text)) lines.push(line);
  }
  return lines;
}

/** The last line of the block that a line opens, told by indentation; closing brackets still belong to it. */
function blockEnd(file: FileLines, opener: number): number {
  const depth = indentOf(file.lines[opener - 1] ?? "").length;
  for (let line = opener + 1; line <= file.length; line++) {
    const own = file.lines[line - 1] ?? "";
    if (own.trim() === "" || indentOf(own).length > depth) continue;
    if (/^[)}\]]/.test(own.trim())) {
      // `} else {` goes on.
      if (/[{([:]$/.test(own.trimEnd())) continue;
      return line;
    }
    return line === opener + 1 ? file.length : line - 1;
  }
  return file.length;
}

function ambiguous(
  file: FileLines,
  wanted: Wanted,
  places: readonly { start: number; end: number }[],
  what = "what it replaces",
): Failed {
  const count = places.length > MAX_CANDIDATES ? `more than ${MAX_CANDIDATES}` : String(places.length);
  return refuse(wanted, "AMBIGUOUS_LOCATION", `is not unique: ${what} stands in ${count} places of ${wanted.file}`, {
    candidates: places.slice(0, MAX_CANDIDATES).map((place) => candidate(file, place)),
  });
}

const candidate = (file: FileLines, { start, end }: { start: number; end: number }): Candidate => ({
  start,
  end,
  lines: file.slice(start, Math.min(end - start + 1, 10)).map(shown),
});

const shown = (line: string): string => (line.length > 240 ? `${line.slice(0, 240).toWellFormed()}…` : line);

/** Nothing like it stands there: shows the place that has most of it in common from its first line on. */
function stale(file: FileLines, wanted: Wanted): Failed {
  const { old } = wanted;
  const keys = old.map((line) => line.trim());
  const head = keys.findIndex((key) => key !== "");
  let best = { start: Math.min(wanted.at ?? 1, Math.max(1, file.length)), same: 0 };
  // Enough to show the likeliest place of what a person would send.
  let left = 50_000;
  for (let i = 0; i < file.length && left > 0; i++) {
    if (head === -1 || (file.lines[i] ?? "").trim() !== keys[head]) continue;
    left--;
    let same = head;
    while (left > 0 && same < keys.length && (file.lines[i - head + same] ?? "\0").trim() === keys[same]) {
      same++;
      left--;
    }
    if (same > best.same) best = { start: i - head + 1, same };
  }
  const line = Math.max(1, best.start + best.same);
  const expected = old[best.same];
  const actual = file.lines[line - 1];
  const from = Math.max(1, line - 4);
  return refuse(wanted, "STALE_CONTENT", `replaces lines that do not stand in ${wanted.file}`, {
    firstDivergence: {
      line,
      expected: expected === undefined ? null : shown(expected),
      actual: actual === undefined ? null : shown(actual),
    },
    ...(file.length > 0 ? { context: { startLine: from, lines: file.slice(from, 9).map(shown) } } : {}),
    ...(best.same > 0
      ? { candidates: [candidate(file, { start: best.start, end: best.start + old.length - 1 })] }
      : {}),
  });
}

function refuse(wanted: Wanted, code: "STALE_CONTENT" | "AMBIGUOUS_LOCATION", why: string, detail: object): Failed {
  return fail(code, `Line ${wanted.line}: the edit ${why}.`, {
    file: wanted.file,
    findings: [{ line: wanted.line, message: why }],
    ...detail,
  });
}
