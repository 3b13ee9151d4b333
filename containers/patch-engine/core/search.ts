import { Buffer } from "node:buffer";
import { withEol } from "./block.ts";
import type { TextFile } from "./textFile.ts";

/** A stretch of bytes. */
export interface ByteRange {
  start: number;
  end: number;
}

/**
 * Where a text stands in a file, left to right, without overlaps. Bytes are compared exactly, but for LF in the search,
 * which stands for a whole line ending of the file. The byte order mark is not searched.
 */
export function occurrencesOf(text: TextFile, search: string): ByteRange[] {
  const { lf, crlf } = text.endings;
  if (!search.includes("\n") || crlf === 0) return exact(text, Buffer.from(search));
  if (lf === 0) return exact(text, Buffer.from(withEol(search, "\r\n")));
  return acrossMixedEndings(text, search);
}

function exact(text: TextFile, needle: Buffer): ByteRange[] {
  const found: ByteRange[] = [];
  let at = text.bytes.indexOf(needle, text.bomLength);
  while (at !== -1) {
    found.push({ start: at, end: at + needle.length });
    at = text.bytes.indexOf(needle, at + needle.length);
  }
  return found;
}

/** In a file that has both endings, LF in the search matches either; CR LF only itself. */
function acrossMixedEndings(text: TextFile, search: string): ByteRange[] {
  const parts = search.split("\n").map((part, i, all) => {
    const isCrlf = i < all.length - 1 && part.endsWith("\r");
    return { content: Buffer.from(isCrlf ? part.slice(0, -1) : part), isCrlf };
  });
  const found: ByteRange[] = [];
  const [first] = parts;
  if (!first) return found;
  // What comes before the search's first ending is the end of a line: so each line gives at most one place.
  let free = text.bomLength;
  for (let line = 1; line <= text.lineCount; line++) {
    if (text.eolOf(line) === null) break;
    const start = text.contentEnd(line) - first.content.length;
    if (start < Math.max(free, text.startOf(line))) continue;
    const end = matchFrom(text, line, start, parts);
    if (end === null) continue;
    found.push({ start, end });
    free = end;
  }
  return found;
}

function matchFrom(
  text: TextFile,
  firstLine: number,
  start: number,
  parts: readonly { content: Buffer; isCrlf: boolean }[],
): number | null {
  let at = start;
  let line = firstLine;
  for (const [i, { content, isCrlf }] of parts.entries()) {
    const end = at + content.length;
    if (end > text.bytes.length || text.bytes.compare(content, 0, content.length, at, end) !== 0) return null;
    if (i === parts.length - 1) return end;
    const eol = text.eolOf(line);
    if (end !== text.contentEnd(line) || eol === null || (isCrlf && eol !== "\r\n")) return null;
    at = text.endOf(line);
    line++;
  }
  return null;
}
