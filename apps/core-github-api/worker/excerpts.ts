/** What of a job's log tells why it failed. */
export interface Excerpt {
  /** 1-based, of the log. */
  line: number;
  level: "warn" | "error";
  message: string;
  ts: string | null;
}

const STAMP = /^\uFEFF?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z) ?/;
const COLOUR = /\p{Cc}\[[0-9;]*[A-Za-z]/gu;
const COMMAND = /^##\[(\w+)\]/;
/** A line that names what went wrong, in the words of compilers, test runners, package managers and shells. */
const TELLING =
  /^(?:\s*(?:✘|✖|×)\s)|^\s*(?:fatal|FATAL ERROR|panic|Traceback|FAIL\b|npm (?:error|ERR!) code|ERR_[A-Z_]+|error(?:\[E\d+\])?:|Error:|[A-Z]\w*(?:Error|Exception):)|: error [A-Z]+\d+:|\bERR_PNPM_\w+|No space left on device|toomanyrequests/u;
/** Said at the end of every failed step: of use only where nothing else was. */
const EXIT = /^Process completed with exit code/;
/** An excerpt is its first line and what follows it until the next one, at most so many lines. */
const MAX_LINES = 8;
const MAX_EXCERPTS = 50;
const MAX_CHARS = 4_000;

/** The excerpts of one job's log, in its order. */
export function excerptsOf(text: string): Excerpt[] {
  const lines = text.split("\n");
  const found: (Excerpt & { lines: string[] })[] = [];
  let open: (Excerpt & { lines: string[] }) | null = null;
  let exit: Excerpt | null = null;
  for (const [index, raw] of lines.entries()) {
    const ts = STAMP.exec(raw)?.[1] ?? null;
    const line = raw.replace(STAMP, "").replaceAll(COLOUR, "").trimEnd();
    const command = COMMAND.exec(line)?.[1] ?? null;
    const said = line.replace(COMMAND, "");
    const level =
      command === "error" || (command === null && TELLING.test(line)) ? "error" : command === "warning" ? "warn" : null;
    if (level !== null && EXIT.test(said)) {
      exit = { line: index + 1, level, message: said, ts };
      open = null;
    } else if (
      level !== null &&
      (open === null || command !== null || open.lines.length >= MAX_LINES || !isContinued(open.lines, said))
    ) {
      if (found.length >= MAX_EXCERPTS) break;
      open = { line: index + 1, level, message: "", ts, lines: [said] };
      found.push(open);
    } else if (open !== null && command === null && line !== "" && open.lines.length < MAX_LINES) {
      open.lines.push(line);
    } else {
      open = null;
    }
  }
  const excerpts = found.map(({ lines: said, ...excerpt }) => ({
    ...excerpt,
    message: said.join("\n").slice(0, MAX_CHARS),
  }));
  return excerpts.some(({ level }) => level === "error") || exit === null ? excerpts : [...excerpts, exit];
}

/** Whether a telling line belongs to the excerpt before: an assertion below its test, npm's further lines. */
const isContinued = (before: readonly string[], line: string): boolean =>
  (/^\s*FAIL\b/.test(before[0] ?? "") && !/^\s*FAIL\b/.test(line)) ||
  (before[0] ?? "").startsWith("Traceback") ||
  /^npm (?:error|ERR!)/.test(line);
