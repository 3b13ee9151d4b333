import type { FileMode } from "@shared/contracts";

/** What a text says is to be done, before the files are looked at. `line` is the text's line where it says so, from 1. */
export type Draft = { line: number; file: string } & (
  | {
      kind: "hunk";
      /** Lines to find and the lines that take their place. */
      old: string[];
      now: string[];
      /** The line of the file at which the text says that they begin. */
      at?: number;
      /** Lines that stand before them and narrow the search, in order; `isFirm` where they must be there. */
      anchors?: string[];
      isFirm?: boolean;
      /** Another reading, taken where the lines do not stand as read first. */
      otherwise?: { old: string[]; now: string[] };
      /** They are the last lines of the file. */
      isAtEnd?: boolean;
    }
  /** A text within the file, not of whole lines. */
  | { kind: "substring"; search: string; replace: string }
  | { kind: "insert"; after: number; content: string }
  | { kind: "whole"; content: string; isNew?: boolean }
  | { kind: "create"; content: string; mode?: FileMode }
  | { kind: "delete" }
  | { kind: "rename"; to: string }
  | { kind: "mode"; oldMode: FileMode; mode: FileMode }
);

/** The text is not what it should be: at this line, something else was expected. */
export class Refused extends Error {
  readonly line: number;

  constructor(line: number, why: string) {
    super(why);
    this.line = line;
  }
}

/** The lines of a text as sent: without their endings, and without a last empty one. */
export function textLines(text: string): string[] {
  const lines = text.replace(/^\uFEFF/, "").split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines.map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line));
}

/** A Markdown fence: its mark and what stands behind it. */
export function fenceOf(line: string): { mark: string; info: string } | null {
  const match = /^ {0,3}(`{3,}|~{3,})([^`]*)$/.exec(line.length > 1000 ? "" : line);
  return match ? { mark: match[1] ?? "", info: (match[2] ?? "").trim() } : null;
}

/** Whether a line closes a fence: at least as many of the same marks and nothing else. */
export const closes = (line: string, mark: string): boolean => {
  const trimmed = line.trim();
  return trimmed.length >= mark.length && trimmed === (mark[0] ?? "`").repeat(trimmed.length);
};

/** A path as people write it above a block: without the list marks, quotes and colon around it; null where it is none. */
export function pathOf(line: string): string | null {
  if (line.length > 1100) return null;
  let text = line.trim();
  text = text.replace(/^(?:#{1,6}\s+|[-*]\s+|\d+[.)]\s+)/, "");
  text = text.replace(/^(?:\/\/|#|--|<!--|\/\*)\s*/, "").replace(/\s*(?:-->|\*\/)$/, "");
  text = text.replace(/^(?:file(?:name|path)?|path)\s*[:=]\s*/i, "");
  text = text
    .replace(/^[*_`"'[]+/, "")
    .replace(/[*_`"'\]:]+$/, "")
    .replace(/^\.\//, "");
  if (text === "" || /[\s<>|?*`]{2,}|[<>|?*`]/.test(text)) return null;
  const hasName =
    /(?:^|\/)[^/\s][^/]*\.[A-Za-z0-9_-]{1,12}$|\/[^/\s]+$|^(?:Dockerfile|Makefile|LICENSE|\.[a-z][\w.-]*)$/.test(text);
  return hasName && !/\s/.test(text) ? text : null;
}
