import { TextFile, type Plan, type PlannedFile } from "../core/index.ts";

/** Lines of a file's text after the batch that the batch wrote: 1-based, inclusive. */
export interface WrittenLines {
  start: number;
  end: number;
}

/** A planned file as text, before and after, with what the batch wrote of it. */
export interface WrittenFile {
  path: string;
  before: TextFile;
  after: TextFile;
  /** Whether there was a file to edit, rename or replace. */
  existed: boolean;
  written: WrittenLines[];
}

/** The files of a plan that stand after it and of which the batch wrote something. */
export function writtenFiles(plan: Plan): WrittenFile[] {
  return plan.files.flatMap((file): WrittenFile[] => {
    if (file.after === null || file.splices.length === 0) return [];
    const before = file.before ?? replacedBy(plan, file);
    const text = TextFile.of(Buffer.from(file.after));
    const written = file.splices.length > 0 ? linesOf(file, text) : [];
    if (written.length === 0) return [];
    return [
      {
        path: file.path,
        before: before === null ? TextFile.empty : TextFile.of(Buffer.from(before)),
        after: text,
        existed: before !== null,
        written,
      },
    ];
  });
}

/** What stood at a created file's path: deleted by the same batch, it is what the new file stands for. */
const replacedBy = (plan: Plan, { path }: PlannedFile): Uint8Array | null =>
  plan.files.find((other) => other.kind === "delete" && other.path === path)?.before ?? null;

function linesOf(file: PlannedFile, after: TextFile): WrittenLines[] {
  const lines: WrittenLines[] = [];
  let delta = 0;
  for (const splice of file.splices) {
    const start = splice.start + delta;
    const size = Buffer.byteLength(splice.new);
    delta += size - (splice.end - splice.start);
    const first = after.lineAt(start);
    // What only takes away whole lines writes none.
    if (size === 0 && after.startOf(first) === start) continue;
    const last = Math.min(after.lineAt(Math.max(start, start + size - 1)), after.lineCount);
    const previous = lines.at(-1);
    if (previous && first <= previous.end + 1) previous.end = Math.max(previous.end, last);
    else if (first <= last) lines.push({ start: first, end: last });
  }
  return lines;
}

/** Whether a line is among those written. */
export const wrote = (written: readonly WrittenLines[], line: number): boolean =>
  written.some(({ start, end }) => start <= line && line <= end);
