import type { PatchOperationInput } from "@shared/contracts";

/**
 * An independent model of the engine: a file is an array of lines with their endings, and a batch is applied by
 * rebuilding that array. Slow and plain on purpose; it shares nothing with the code under test.
 */
export interface ModelFile {
  bom: boolean;
  lines: { text: string; eol: string }[];
}

export function parseModel(content: string): ModelFile {
  const bom = content.startsWith("\uFEFF");
  const rest = bom ? content.slice(1) : content;
  const lines = [...rest.matchAll(/([^\n]*?)(\r?\n|$)/g)]
    .map((match) => ({ text: match[1] ?? "", eol: match[2] ?? "" }))
    .filter((line) => line.text !== "" || line.eol !== "");
  return { bom, lines };
}

export const printModel = (file: ModelFile): string =>
  (file.bom ? "\uFEFF" : "") + file.lines.map((line) => line.text + line.eol).join("");

/** A block's lines: one newline at its end is the end of the last line. */
export function blockLines(block: string): string[] {
  if (block === "") return [];
  const body = block.replace(/\r?\n$/, "");
  return body.split(/\r?\n/);
}

export type LineOp = Extract<
  PatchOperationInput,
  { op: "replace-block" | "insert-before" | "insert-after" | "append" | "prepend" }
>;

interface Piece {
  lines: string[];
  openSpace: boolean;
}

/** Applies operations that all speak of `content`'s lines and do not overlap; keeps whether a newline ends the file. */
export function applyModel(content: string, ops: readonly LineOp[]): string {
  const file = parseModel(content);
  const { lines } = file;
  const n = lines.length;
  if (n === 0) return (file.bom ? "\uFEFF" : "") + intoEmpty(ops);
  const inserted = new Map<number, Piece[]>();
  const replaced = new Map<number, { last: number; piece: Piece }>();
  for (const op of ops) {
    const piece = { lines: blockLines(op.block ?? ""), openSpace: ("openSpace" in op && op.openSpace) || false };
    if (op.op === "replace-block") replaced.set(op.start, { last: op.end, piece });
    else {
      const gap =
        op.op === "insert-before" ? op.line : op.op === "insert-after" ? op.line + 1 : op.op === "append" ? n + 1 : 1;
      inserted.set(gap, [...(inserted.get(gap) ?? []), piece]);
    }
  }
  const ended = lines[n - 1]?.eol !== "";
  const eolOf = (line: number): string | undefined => lines[line - 1]?.eol || undefined;
  const nearGap = (gap: number) => eolOf(gap - 1) ?? eolOf(gap) ?? eolOf(gap - 2) ?? "\n";
  const nearRange = (first: number, last: number) => eolOf(first) ?? eolOf(first - 1) ?? eolOf(last + 1) ?? "\n";

  const result: { text: string; eol: string; block: object | null; open: boolean; near: string }[] = [];
  const put = (piece: Piece, near: string, lastEol: string) => {
    piece.lines.forEach((text, i) => {
      const eol = i === piece.lines.length - 1 ? lastEol : near;
      result.push({ text, eol, block: piece, open: piece.openSpace, near });
    });
  };
  for (let line = 1; line <= n + 1; line++) {
    for (const piece of inserted.get(line) ?? []) put(piece, nearGap(line), nearGap(line));
    const range = replaced.get(line);
    if (range) {
      put(range.piece, nearRange(line, range.last), lines[range.last - 1]?.eol || nearGap(n + 1));
      line = range.last;
    } else if (line <= n) {
      const own = lines[line - 1]!;
      // What followed an unterminated line brings the ending that was missing, in the manner of its place.
      result.push({ text: own.text, eol: own.eol || nearGap(n + 1), block: null, open: false, near: "" });
    }
  }

  const isBlank = (text: string) => /^[ \t]*$/.test(text);
  const opened: { text: string; eol: string }[] = [];
  result.forEach((line, i) => {
    const before = result[i - 1];
    const after = result[i + 1];
    const startsBlock = line.block !== null && before?.block !== line.block;
    const endsBlock = line.block !== null && after?.block !== line.block;
    const previous = opened.at(-1);
    if (startsBlock && line.open && before && previous && !isBlank(previous.text))
      opened.push({ text: "", eol: line.near });
    opened.push({ text: line.text, eol: line.eol });
    if (endsBlock && line.open && after && !isBlank(after.text)) opened.push({ text: "", eol: line.eol });
  });
  file.lines = opened;
  const last = opened.at(-1);
  if (last && !ended) last.eol = "";
  return printModel(file);
}

/** The first block stands as it is given; the others follow its endings. */
function intoEmpty(ops: readonly LineOp[]): string {
  const blocks = ops.map((op) => op.block ?? "").filter((block) => block !== "");
  const [first, ...others] = blocks;
  if (first === undefined) return "";
  const eol = /\r?\n/.exec(first)?.[0] ?? "\n";
  let text = first;
  for (const block of others) {
    const joined = blockLines(block).join(eol);
    text += first.endsWith("\n") ? joined + eol : eol + joined;
  }
  return text;
}
