import { Buffer } from "node:buffer";
import type { Eol } from "./textFile.ts";

/**
 * The lines a patch brings. A newline at the block's end is the end of its last line, not an empty line after it; an
 * empty block has no lines.
 */
export class Block {
  readonly raw: string;
  readonly isEmpty: boolean;

  constructor(raw: string) {
    this.raw = raw;
    this.isEmpty = raw === "";
  }

  /** The lines with `eol` between them, none after the last. */
  joined(eol: Eol): string {
    return withEol(this.raw.slice(0, this.raw.length - this.lastEnding), eol);
  }

  /** As given, for a file that has no line endings to follow. */
  verbatim(): Buffer {
    return Buffer.from(this.raw);
  }

  /** Characters of the newline that ends the block; 0 without one. */
  get lastEnding(): number {
    return this.raw.endsWith("\r\n") ? 2 : this.raw.endsWith("\n") ? 1 : 0;
  }

  /** The first line ending within the block. */
  get eol(): Eol {
    const lf = this.raw.indexOf("\n");
    return lf > 0 && this.raw[lf - 1] === "\r" ? "\r\n" : "\n";
  }
}

/** Text with each of its line endings, LF or CR LF, made `eol`. */
export function withEol(text: string, eol: Eol): string {
  if (!text.includes("\n")) return text;
  if (eol === "\r\n") return text.replace(/\r?\n/g, "\r\n");
  return text.includes("\r\n") ? text.replaceAll("\r\n", "\n") : text;
}
