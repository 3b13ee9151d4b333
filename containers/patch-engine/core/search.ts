import { Buffer } from "node:buffer";
import { withEol } from "./block.ts";
import type { TextFile } from "./textFile.ts";

/** A stretch of bytes. */
export interface ByteRange {
  start: number;
  end: number;
}

/** Where a text stands: the first of the places, and how many there are. */
export interface Occurrences {
  places: ByteRange[];
  count: number;
}

/**
 * Where a text stands in a file, left to right, without overlaps; of the places at most `max` are kept. Bytes are
 * compared exactly, but for LF in the search, which stands for a whole line ending of the file; a search that has both
 * endings itself means bytes. The byte order mark is not searched. Linear in both.
 */
export function occurrencesOf(text: TextFile, search: string, max: number): Occurrences {
  const { lf, crlf } = text.endings;
  const found: Occurrences = { places: [], count: 0 };
  const note = (start: number, end: number): void => {
    if (found.count++ < max) found.places.push({ start, end });
  };
  if (!search.includes("\n") || crlf === 0) exact(text, Buffer.from(search), note);
  else if (lf === 0) exact(text, Buffer.from(withEol(search, "\r\n")), note);
  else if (search.includes("\r\n")) exact(text, Buffer.from(search), note);
  else acrossEndings(text, Buffer.from(search), note);
  return found;
}

type Note = (start: number, end: number) => void;

/** Up to here the native search looks at every byte a few times at most; beyond it, at some texts, each at each. */
const NATIVE_BYTES = 250;

function exact({ bytes, bomLength }: TextFile, needle: Buffer, note: Note): void {
  if (needle.length > NATIVE_BYTES) {
    byBorders(needle, bomLength, bytes.length, (at) => bytes[at], note);
    return;
  }
  for (let at = bytes.indexOf(needle, bomLength); at !== -1; at = bytes.indexOf(needle, at + needle.length)) {
    note(at, at + needle.length);
  }
}

/** In a file that has both endings: the CR of a line ending is passed over, so that LF in the search matches either. */
function acrossEndings({ bytes, bomLength }: TextFile, needle: Buffer, note: Note): void {
  byBorders(
    needle,
    bomLength,
    bytes.length,
    (at) => (bytes[at] === CR && bytes[at + 1] === LF ? PASSED : bytes[at]),
    note,
  );
}

const LF = 0x0a;
const CR = 0x0d;
const PASSED = -1;

/** Knuth, Morris and Pratt over bytes; `byteAt` says PASSED of one that is none of the text. */
function byBorders(
  needle: Buffer,
  from: number,
  to: number,
  byteAt: (at: number) => number | undefined,
  note: Note,
): void {
  const border = new Int32Array(needle.length);
  for (let i = 1, k = 0; i < needle.length; i++) {
    while (k > 0 && needle[i] !== needle[k]) k = border[k - 1] ?? 0;
    if (needle[i] === needle[k]) k++;
    border[i] = k;
  }
  for (let at = from, k = 0; at < to; at++) {
    const byte = byteAt(at);
    if (byte === PASSED) continue;
    while (k > 0 && byte !== needle[k]) k = border[k - 1] ?? 0;
    if (byte === needle[k]) k++;
    if (k < needle.length) continue;
    let start = at;
    for (let left = needle.length - 1; left > 0;) if (byteAt(--start) !== PASSED) left--;
    // An ending is found as a whole.
    if (start > from && byteAt(start - 1) === PASSED) start--;
    note(start, at + 1);
    k = 0;
  }
}
