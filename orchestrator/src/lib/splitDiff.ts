/** One file of a unified diff. */
export interface FileDiff {
  file: string;
  diff: string;
  added: number;
  removed: number;
  /** What its header says of it beside its lines. */
  note: "new" | "deleted" | "renamed" | "binary" | null;
}

const unquoted = (name: string): string => (name.startsWith('"') ? name.slice(1, -1).replaceAll('\\"', '"') : name);
const pathOf = (name: string): string => unquoted(name.split("\t")[0] ?? name).replace(/^[ab]\//, "");

/** The files of a unified diff, git's or plain; null of a text that is none. */
export function splitDiff(text: string): FileDiff[] | null {
  const lines = text.split("\n");
  const starts = lines.flatMap((line, at) => (line.startsWith("diff --git ") ? [at] : []));
  const heads = starts.length > 0 ? starts : lines.flatMap((line, at) => (isPlainHead(lines, line, at) ? [at] : []));
  if (heads.length === 0) return null;
  return heads.map((start, index) => fileOf(lines.slice(start, heads[index + 1] ?? lines.length)));
}

const isPlainHead = (lines: readonly string[], line: string, at: number): boolean =>
  line.startsWith("--- ") && (lines[at + 1] ?? "").startsWith("+++ ") && (lines[at + 2] ?? "@@").startsWith("@@");

function fileOf(lines: readonly string[]): FileDiff {
  const body = lines.findIndex((line) => line.startsWith("@@"));
  const head = body === -1 ? lines : lines.slice(0, body);
  const hunks = body === -1 ? [] : lines.slice(body);
  const after = (prefix: string): string | undefined =>
    head.find((line) => line.startsWith(prefix))?.slice(prefix.length);
  const [before, now] = [after("--- "), after("+++ ")];
  const named = [now, before].find((name) => name !== undefined && name !== "/dev/null");
  const file =
    named === undefined ? (after("rename to ") ?? / b\/(.+)$/.exec(head[0] ?? "")?.[1] ?? "?") : pathOf(named);
  const isBinary = head.some((line) => line.startsWith("GIT binary patch") || line.startsWith("Binary files"));
  return {
    file,
    diff: lines.join("\n"),
    added: hunks.filter((line) => line.startsWith("+")).length,
    removed: hunks.filter((line) => line.startsWith("-")).length,
    note: isBinary
      ? "binary"
      : after("new file mode") !== undefined || before === "/dev/null"
        ? "new"
        : after("deleted file mode") !== undefined || now === "/dev/null"
          ? "deleted"
          : after("rename to ") !== undefined
            ? "renamed"
            : null,
  };
}
