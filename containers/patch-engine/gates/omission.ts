import type { ErrorContext, GateLevel } from "@shared/contracts";
import { commentsOf, languageOf, type Comment } from "./comments.ts";
import { declarationsOf, type Declaration } from "./declarations.ts";
import { contextAround, patchAt, type Gate, type GateInput, type Objection } from "./gate.ts";
import { placeholderKind } from "./placeholder.ts";
import { removedAt, trimmedLines, type Removed } from "./removed.ts";
import { writtenFiles, wrote, type WrittenFile } from "./written.ts";

/**
 * No comment takes the place of code: "// ... existing code", "# rest of the function stays the same". Only what the
 * batch itself wrote counts, and only comments: a string, a spread or prose with an ellipsis is none. What says of
 * itself that code is left out is refused wherever it is written; what may also be said in earnest ("...", "same as
 * above") only where the batch took code away and put less in its place. In JavaScript and TypeScript a comment alone in
 * the place of a declaration, or of all of a function's body, is refused whatever it says, unless it says that the
 * declaration is gone or empty on purpose.
 */
export function omission(level: GateLevel): Gate {
  return { name: "omission", level, run: check };
}

/** Where files are made to be elided: what they hold is meant to be read, not run. */
const SPECIMENS = /(?:^|\/)_*(?:fixtures?|testdata|snapshots?|corpus|examples?)_*\//u;

const MAY_HOLD_ONE = /\/\/|\/\*|#|<!--|\.\.\.|…/u;

async function check(input: GateInput): Promise<Objection[] | null> {
  const objections: Objection[] = [];
  let looked = false;
  const files = writtenFiles(input.plan);
  for (const file of files) {
    const language = languageOf(file.path, file.after.lineCount > 0 ? file.after.lineText(1) : "");
    if (language === null) continue;
    looked = true;
    if (!mayHoldOne(file)) continue;
    const comments = await newComments(file, await commentsOf(file.path, language, file.after), async () =>
      commentsOf(file.path, language, file.before),
    );
    if (comments.length === 0) continue;
    const before = trimmedLines(file.before);
    const after = trimmedLines(file.after);
    const found = new Map<number, { comment: Comment; removed: string }>();
    for (const comment of comments) {
      const kind = placeholderKind(comment.text);
      if (kind === null) continue;
      const removed = removedAt(before, after, comment.line, comment.end);
      if (removed.lines.length === 0 && !file.existed && SPECIMENS.test(file.path)) continue;
      if (kind === "weak" && !(comment.alone ? removed.lines.length > removed.insteadOf : removed.lines.length > 1))
        continue;
      found.set(comment.line, { comment, removed: said(removed) });
    }
    if (language === "script" && file.existed) {
      for (const { comment, removed } of await declarationsGone(file, comments, files, before, after)) {
        if (!found.has(comment.line)) found.set(comment.line, { comment, removed });
      }
    }
    for (const { comment, removed } of [...found.values()].toSorted((a, b) => a.comment.line - b.comment.line)) {
      objections.push(objection(input, file, comment, removed));
    }
  }
  return looked ? objections : null;
}

function objection({ plan }: GateInput, file: WrittenFile, comment: Comment, removed: string): Objection {
  const text = file.after.lineText(comment.line).trim();
  const patchId = patchAt(plan.patches, file.path, comment.line);
  const context: ErrorContext | undefined = contextAround(file.after.bytes, comment.line);
  return {
    code: "OMISSION_FOUND",
    finding: {
      file: file.path,
      line: comment.line,
      message: `"${text.length > 120 ? `${text.slice(0, 119)}…` : text}" stands for code that is not there (${removed}). Write the code itself, or leave its lines out of the edit.`,
    },
    ...(context && { context }),
    ...(patchId !== undefined && { patchId }),
  };
}

function said({ start, end, lines }: Removed): string {
  const [first] = lines;
  if (first === undefined) return "nothing was removed there";
  const more = lines.length > 1 ? ` and ${lines.length - 1} more` : "";
  const shown = first.length > 80 ? `${first.slice(0, 79)}…` : first;
  return `removed from line${end > start ? `s ${start}–${end}` : ` ${start}`}: "${shown}"${more}`;
}

const mayHoldOne = (file: WrittenFile): boolean =>
  file.written.some(({ start, end }) =>
    MAY_HOLD_ONE.test(file.after.bytes.toString("utf8", file.after.startOf(start), file.after.endOf(end))),
  );

/** The comments on lines the batch wrote, those that stood in the text before taken off. */
async function newComments(
  file: WrittenFile,
  comments: readonly Comment[],
  before: () => Promise<Comment[]>,
): Promise<Comment[]> {
  const written = comments.filter(({ line, text }) => text !== "" && wrote(file.written, line));
  if (written.length === 0) return [];
  const known = new Map<string, number>();
  for (const { text } of await before()) known.set(text, (known.get(text) ?? 0) + 1);
  // Those that still stand where the batch wrote nothing are not there to be moved.
  for (const { line, text } of comments) {
    if (!wrote(file.written, line)) known.set(text, (known.get(text) ?? 0) - 1);
  }
  return written.filter(({ text }) => {
    const left = known.get(text) ?? 0;
    known.set(text, left - 1);
    return left <= 0;
  });
}

/** What a comment says when code is gone, or empty, on purpose. */
const ON_PURPOSE =
  /\b(?:removed?|deleted?|dropped|moved?|extracted|deprecated|no longer|replaced|superseded|obsolete|retired|migrated|renamed|lives?|now in|now (?:comes|done|handled)|see|no-?op|noop|intentional(?:ly)?|on purpose|nothing to|unused|not needed|unnecessary|not supported|handled (?:by|in)|ignored?|delegat\w+|inherited|empty|deliberate(?:ly)?)\b/iu;

async function declarationsGone(
  file: WrittenFile,
  comments: readonly Comment[],
  files: readonly WrittenFile[],
  before: readonly string[],
  after: readonly string[],
): Promise<{ comment: Comment; removed: string }[]> {
  const own = comments.filter(({ alone, text }) => alone && !ON_PURPOSE.test(text));
  if (own.length === 0) return [];
  const old = await declarationsOf(file.path, file.before);
  const now = await declarationsOf(file.path, file.after);
  if (!old || !now) return [];
  let fewer: Set<string> | null = null;
  const gone: { comment: Comment; removed: string }[] = [];
  for (const comment of own) {
    const emptied = emptiedAt(comment, old, now);
    if (emptied) {
      gone.push({ comment, removed: `the body of ${emptied.qualified}, lines ${emptied.start}–${emptied.end}` });
      continue;
    }
    // A comment right above code belongs to that code.
    if ((after[comment.end] ?? "") !== "" && /[\p{L}\p{N}]/u.test(after[comment.end] ?? "")) continue;
    const removed = removedAt(before, after, comment.line, comment.end);
    if (removed.insteadOf > 0) continue;
    const within = old.filter(({ start, end }) => removed.start <= start && end <= removed.end);
    if (within.length === 0) continue;
    fewer ??= await fewerIn(files);
    const missing = within.filter(({ name }) => fewer?.has(name));
    const [first] = missing;
    if (!first) continue;
    const names = missing
      .map(({ qualified }) => qualified)
      .slice(0, 5)
      .join(", ");
    gone.push({ comment, removed: `removed from lines ${removed.start}–${removed.end}: ${names}` });
  }
  return gone;
}

/** Names of which the files of the batch declare fewer after it than before: what only moved among them is not gone. */
async function fewerIn(files: readonly WrittenFile[]): Promise<Set<string>> {
  const left = new Map<string, number>();
  for (const { path, before, after } of files) {
    if (languageOf(path, "") !== "script") continue;
    for (const { name } of (await declarationsOf(path, before)) ?? []) left.set(name, (left.get(name) ?? 0) - 1);
    for (const { name } of (await declarationsOf(path, after)) ?? []) left.set(name, (left.get(name) ?? 0) + 1);
  }
  return new Set([...left].flatMap(([name, count]) => (count < 0 ? [name] : [])));
}

/** The declaration whose body had statements and now is a comment. */
function emptiedAt(
  comment: Comment,
  old: readonly Declaration[],
  now: readonly Declaration[],
): Declaration | undefined {
  const around = now.findLast(
    ({ body }) => body !== null && body.statements === 0 && body.start <= comment.line && comment.end <= body.end,
  );
  if (!around) return undefined;
  return old.find(({ qualified, body }) => qualified === around.qualified && body !== null && body.statements > 0);
}
