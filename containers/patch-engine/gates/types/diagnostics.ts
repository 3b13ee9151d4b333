import { relative, resolve, sep } from "node:path";
import { z } from "zod";
import type { PlannedFile } from "../../core/index.ts";
import { TextFile } from "../../core/index.ts";

export const DiagnosticSchema = z.object({
  /** Workspace path; null for what concerns the project as a whole. */
  file: z.string().nullable(),
  line: z.number().int(),
  column: z.number().int(),
  /** As the compiler names it: `TS2322`. */
  code: z.string(),
  message: z.string(),
});
/** An error a compiler tells of; `line` and `column` are 1-based, 0 without a file. */
export type Diagnostic = z.infer<typeof DiagnosticSchema>;

const PLACED = /^(?<file>[^\s].*)\((?<line>\d+),(?<column>\d+)\): error (?<code>TS\d+): (?<message>.*)$/u;
const GLOBAL = /^error (?<code>TS\d+): (?<message>.*)$/u;

/** The directory that a compiler ran in, which is a copy, and the workspace that it was made from. */
export interface CompiledIn {
  directory: string;
  root: string;
}

/**
 * Reads what `tsc --pretty false` printed. Lines that belong to an error, more deeply indented, are left out, and so are
 * the paths of both directories. An error in a file outside of the workspace is `outside`: neither its name nor what it
 * says is for those who asked.
 */
export function diagnosticsOf(
  output: string,
  { directory, root }: CompiledIn,
): { errors: Diagnostic[]; outside: boolean } {
  let outside = false;
  const errors = output
    .replaceAll(`${directory}/`, "")
    .replaceAll(`${root}/`, "")
    .split(/\r?\n/u)
    .flatMap((text): Diagnostic[] => {
      const groups = (PLACED.exec(text) ?? GLOBAL.exec(text))?.groups;
      if (!groups) return [];
      const { file, line, column, code = "", message = "" } = groups;
      const path = file === undefined ? null : workspacePath(file, { directory, root });
      if (path === undefined) {
        outside = true;
        return [];
      }
      return [{ file: path, line: Number(line ?? 0), column: Number(column ?? 0), code, message }];
    });
  return { errors, outside };
}

/** A file that a compiler named, as a path of the workspace; undefined where it is none of its files. */
function workspacePath(file: string, { directory, root }: CompiledIn): string | undefined {
  // Packages are read where they are installed, so their files are named from the copy, upwards.
  return [directory, root]
    .map((from) => relative(from, resolve(directory, file)))
    .find((path) => path !== ".." && !path.startsWith(`..${sep}`));
}

/** Errors that keep a compiler from looking at types at all: those of options and of the project's file. */
export const isAboutProject = ({ file, code }: Diagnostic): boolean =>
  file === null || /(?:^|\/)[^/]*\.json$/u.test(file) || /^TS(?:5\d{3}|6\d{3}|180\d\d)$/u.test(code);

/**
 * The errors of `after` that did not stand before. An error that stood is known again by file, code and message, at the
 * line to which the batch moved it or, where the batch rewrote its line, among the lines written in its place.
 */
export function introduced(
  before: readonly Diagnostic[],
  after: readonly Diagnostic[],
  files: readonly PlannedFile[],
): Diagnostic[] {
  const moves = new Map(files.map((file) => [file.from ?? file.path, { path: file.path, move: movesOf(file) }]));
  const known = new Map<string, { start: number; end: number }[]>();
  for (const error of before) {
    const moved = error.file === null ? undefined : moves.get(error.file);
    const place = moved ? moved.move(error.line) : { start: error.line, end: error.line };
    const key = keyOf(error, moved?.path ?? error.file);
    const places = known.get(key);
    if (places) places.push(place);
    else known.set(key, [place]);
  }
  return after.filter((error) => {
    const places = known.get(keyOf(error, error.file)) ?? [];
    const at = places.findIndex(({ start, end }) => start <= error.line && error.line <= end);
    if (at === -1) return true;
    places.splice(at, 1);
    return false;
  });
}

const keyOf = ({ code, message }: Diagnostic, file: string | null): string => `${file ?? ""}\n${code}\n${message}`;

/** Where a line of a file before the batch stands after it. */
function movesOf({ before, splices }: PlannedFile): (line: number) => { start: number; end: number } {
  const text = before === null ? TextFile.empty : TextFile.of(Buffer.from(before));
  const edits = splices.map((splice) => ({
    start: text.lineAt(splice.start),
    // The line the replaced text ends on; before its first, where it ends with a line.
    end: splice.end === splice.start ? text.lineAt(splice.start) : text.lineAt(splice.end - 1),
    whole: text.startOf(text.lineAt(splice.start)) === splice.start && splice.end === splice.start,
    added: splice.new.split("\n").length - splice.old.split("\n").length,
  }));
  return (line) => {
    let shift = 0;
    for (const { start, end, whole, added } of edits) {
      if (line < start) break;
      // An insertion before this line moves it and does not touch it.
      if (line <= end && !whole) return { start: start + shift, end: Math.max(start, end + added) + shift };
      shift += added;
    }
    return { start: line + shift, end: line + shift };
  };
}
