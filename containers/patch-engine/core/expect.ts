import { Buffer } from "node:buffer";
import { fail, type Candidate, type Divergence, type Result } from "@shared/contracts";
import { candidate, contextAround, countOf, MAX_CANDIDATES, shownLine } from "./context.ts";
import type { TextFile } from "./textFile.ts";

/**
 * Where lines stand that a patch expects at `first`: there, or, where they have moved and stand exactly once, at the
 * place they moved to. STALE_CONTENT where they stand nowhere, AMBIGUOUS_LOCATION where they stand in several places.
 * Line endings are not compared, and a newline at the end of `expected` may be left out.
 */
export function followText(
  file: string,
  text: TextFile,
  sha256: () => string,
  expected: string,
  range: { first: number; count: number },
): Result<{ first: number; moved: number }> {
  const { first, count } = range;
  const readings = readingsOf(expected);
  const wanted = readings.find((lines) => lines.length === count);
  if (wanted && standsAt(text, wanted, first)) return { ok: true, first, moved: 0 };

  const shown = wanted ?? readings[0] ?? [];
  const places = placesOf(text, shown, MAX_CANDIDATES + 1);
  const [only] = places;
  if (wanted && places.length === 1 && only !== undefined) return { ok: true, first: only, moved: only - first };

  const candidates = places.slice(0, MAX_CANDIDATES).map((place) => candidate(text, place, place + shown.length - 1));
  const detail = { file, currentSha256: sha256(), ...contextAround(text, first), ...divergence(text, shown, first) };
  if (places.length > 1) {
    return fail(
      "AMBIGUOUS_LOCATION",
      `The expected text is not at line ${first} of ${file} and stands in ${places.length > MAX_CANDIDATES ? "more than " : ""}${Math.min(places.length, MAX_CANDIDATES)} other places.`,
      { ...detail, candidates },
    );
  }
  if (!wanted) {
    return fail(
      "STALE_CONTENT",
      `The expected text has ${countOf(shown.length, "line")}, the range in ${file} has ${count}.`,
      { ...detail, ...(candidates.length > 0 ? { candidates } : {}) },
    );
  }
  const alike = alikeIn(text, shown);
  return fail(
    "STALE_CONTENT",
    `The expected text does not stand at line ${first} of ${file}, nor anywhere else in it.`,
    {
      ...detail,
      ...(alike.length > 0 ? { candidates: alike } : {}),
    },
  );
}

/** The lines a text may mean: with a newline at its end, that newline may end the last line or precede an empty one. */
function readingsOf(expected: string): Buffer[][] {
  const lines = expected.split("\n").map((line, i, all) => {
    const isEnded = i < all.length - 1;
    return Buffer.from(isEnded && line.endsWith("\r") ? line.slice(0, -1) : line);
  });
  return expected.endsWith("\n") ? [lines.slice(0, -1), lines] : [lines];
}

function standsAt(text: TextFile, wanted: readonly Buffer[], first: number): boolean {
  if (first < 1 || first + wanted.length - 1 > text.lineCount) return false;
  return wanted.every((line, i) => lineIs(text, first + i, line));
}

function lineIs(text: TextFile, line: number, content: Buffer): boolean {
  const start = text.startOf(line);
  const end = text.contentEnd(line);
  return end - start === content.length && text.bytes.compare(content, 0, content.length, start, end) === 0;
}

/** The first `max` places where lines stand. Searches for the longest of them, so that few places are looked at. */
function placesOf(text: TextFile, wanted: readonly Buffer[], max: number): number[] {
  let longest = 0;
  wanted.forEach((line, i) => {
    if (line.length > (wanted[longest]?.length ?? 0)) longest = i;
  });
  const needle = wanted[longest];
  const places: number[] = [];
  if (!needle) return places;
  if (needle.length === 0) {
    for (let line = 1; line <= text.lineCount && places.length < max; line++) {
      if (standsAt(text, wanted, line)) places.push(line);
    }
    return places;
  }
  let at = text.bytes.indexOf(needle, text.bomLength);
  while (at !== -1 && places.length < max) {
    const line = text.lineAt(at);
    if (standsAt(text, wanted, line - longest)) places.push(line - longest);
    // Another place begins at another line's start.
    at = text.bytes.indexOf(needle, text.endOf(line));
  }
  return places;
}

/** Places that hold the wanted lines but for white space at their ends: what an agent most likely meant. */
function alikeIn(text: TextFile, wanted: readonly Buffer[]): Candidate[] {
  const trimmed = wanted.map((line) => line.toString().trim());
  const longest = trimmed.reduce((best, line, i) => (line.length > (trimmed[best]?.length ?? 0) ? i : best), 0);
  const needle = Buffer.from(trimmed[longest] ?? "");
  const found: Candidate[] = [];
  if (needle.length === 0) return found;
  let at = text.bytes.indexOf(needle, text.bomLength);
  while (at !== -1 && found.length < MAX_CANDIDATES) {
    const line = text.lineAt(at);
    const first = line - longest;
    const last = first + trimmed.length - 1;
    if (first >= 1 && last <= text.lineCount && trimmed.every((one, i) => text.lineText(first + i).trim() === one)) {
      found.push(candidate(text, first, last));
    }
    at = text.bytes.indexOf(needle, text.endOf(line));
  }
  return found;
}

function divergence(text: TextFile, wanted: readonly Buffer[], first: number): { firstDivergence?: Divergence } {
  const at = wanted.findIndex((line, i) => first + i > text.lineCount || !lineIs(text, first + i, line));
  const index = at === -1 ? wanted.length : at;
  const line = first + index;
  const expected = wanted[index];
  return {
    firstDivergence: {
      line,
      expected: expected ? shownLine(expected.toString()) : null,
      actual: line <= text.lineCount ? shownLine(text.lineText(line)) : null,
    },
  };
}
