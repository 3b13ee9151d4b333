import { Buffer } from "node:buffer";
import type { FileMarkers, Marker, MarkerCoordinates } from "@shared/contracts";
import { bufferOf, TextFile } from "./textFile.ts";

const OPENING = /###FINAL_MILE_PROMPT__([A-Z0-9_]+)###/g;
const CLOSING = /###END_(?:FINAL_MILE_PROMPT__)?([A-Z0-9_]+)###/g;
const OPENING_BYTES = Buffer.from("###FINAL_MILE_PROMPT__");
const CLOSING_BYTES = Buffer.from("###END_");

/** One marker's text: on which line, and where in that line it begins. */
interface Mark {
  name: string;
  line: number;
  column: number;
}

/**
 * The markers of a file, in the order of their opening lines. `###FINAL_MILE_PROMPT__X###` opens, `###END_X###` or
 * `###END_FINAL_MILE_PROMPT__X###` closes, wherever on a line they stand; an opening takes the first closing after it
 * that comes before the next opening of its name.
 */
export function findMarkers(path: string, bytes: Uint8Array): Marker[] {
  const buffer = bufferOf(bytes);
  return buffer.includes(OPENING_BYTES) ? findMarkersIn(path, TextFile.of(buffer)) : [];
}

export function findMarkersIn(path: string, text: TextFile): Marker[] {
  const openings = marksOf(text, OPENING_BYTES, OPENING);
  if (openings.length === 0) return [];
  const closings = new Map<string, Mark[]>();
  for (const mark of marksOf(text, CLOSING_BYTES, CLOSING)) {
    const ofName = closings.get(mark.name);
    if (ofName) ofName.push(mark);
    else closings.set(mark.name, [mark]);
  }

  const markers: Marker[] = [];
  const nextOpening = new Map<string, Mark>();
  // From the end, so that each opening knows the next one of its name and takes the first closing before it.
  for (const opening of openings.toReversed()) {
    const until = nextOpening.get(opening.name);
    nextOpening.set(opening.name, opening);
    const ofName = closings.get(opening.name) ?? [];
    let closing: Mark | undefined;
    for (let last = ofName.at(-1); last && follows(last, opening); last = ofName.at(-1)) {
      ofName.pop();
      if (!until || follows(until, last)) closing = last;
    }
    markers.push({
      file: path,
      name: opening.name,
      span: { start: opening.line, end: closing?.line ?? opening.line },
      closed: closing !== undefined,
    });
  }
  return markers.toReversed();
}

const follows = (mark: Mark, other: Mark): boolean =>
  mark.line > other.line || (mark.line === other.line && mark.column > other.column);

function marksOf(text: TextFile, needle: Buffer, pattern: RegExp): Mark[] {
  const marks: Mark[] = [];
  let at = text.bytes.indexOf(needle);
  while (at !== -1) {
    const line = text.lineAt(at);
    for (const match of text.lineText(line).matchAll(pattern)) {
      marks.push({ name: match[1] ?? "", line, column: match.index });
    }
    at = text.bytes.indexOf(needle, text.endOf(line));
  }
  return marks;
}

/** Where content generated for a file belongs: its first marker's span, else before line N+1, else a new file. */
export function coordinatesOf(file: FileMarkers): MarkerCoordinates {
  if (!file.exists) return { mode: "new" };
  const [first] = file.markers;
  return first
    ? { mode: "existing", span: { start: first.span.start, end: first.span.end } }
    : { mode: "existing", insertBeforeLine: file.lines + 1 };
}
