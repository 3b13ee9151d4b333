/** The verbs of `patchctl` in the order they are listed, and what each is for. */
export const SUMMARIES = {
  "replace-block": "Replace lines START to END of a file",
  "insert-before": "Insert text before a line (N+1: at the end)",
  "insert-after": "Insert text after a line",
  append: "Add text at the end of a file, or make it",
  prepend: "Add text at the start of a file, or make it",
  "search-replace": "Replace a text wherever it stands in a file",
  "replace-marker": "Replace a ###FINAL_MILE_PROMPT__X### marker's span",
  "create-file": "Make a new file",
  "delete-file": "Delete a file",
  "rename-file": "Move a file",
  "apply-diff": "Apply a unified diff, of git or plain, of one file or many",
  apply: "Apply a batch of patches, all or none",
  import: "Turn what a model wrote into a batch, and print it; writes nothing",
  simulate: "Show what a batch would do, and write nothing",
  validate: "Check a batch against the workspace, and name each problem; writes nothing",
  revert: "Undo a patch, a batch or a task's patches",
  show: "Show a patch with its diff, or a batch",
  log: "List what was applied, oldest first",
  verify: "Follow the log's hash chain from its first entry",
  replay: "Rebuild the workspace from its source and log elsewhere, and compare",
  snapshot: "Write the workspace, its files and its log, as one file",
  restore: "Make a workspace of a snapshot, and verify all of it",
  markers: "List the ###FINAL_MILE_PROMPT__X### markers, and where content for each file belongs",
  flush: "Report to the orchestrator what it has not been told yet",
  serve: "Apply batches as they come on standard input, one JSON object a line",
  mcp: "Serve the workspace to an agent as tools, by the Model Context Protocol on standard input and output",
} as const;

export type VerbName = keyof typeof SUMMARIES;

export const isVerb = (name: string | undefined): name is VerbName =>
  name !== undefined && Object.hasOwn(SUMMARIES, name);

const HELP = new Set(["--help", "-h", "help"]);

/** What a command line asks for: a verb, a verb's help, or what needs neither and is answered here. */
export type Asked =
  | { kind: "run"; verb: VerbName; rest: string[] }
  | { kind: "help"; verb: VerbName }
  | { kind: "told"; exit: number; out: string; err: string };

/** Reads a command line as far as its verb. What is told of without one loads nothing else of `patchctl`. */
export function readCommand(argv: readonly string[]): Asked {
  const [name, ...rest] = argv;
  if (name === undefined) return { kind: "told", exit: 2, out: "", err: overview() };
  if (HELP.has(name)) {
    const [asked] = rest;
    return name === "help" && isVerb(asked)
      ? { kind: "help", verb: asked }
      : { kind: "told", exit: 0, out: overview(), err: "" };
  }
  if (!isVerb(name)) {
    const err = `patchctl: there is no verb ${name}. \`patchctl --help\` lists them.\n`;
    return { kind: "told", exit: 2, out: "", err };
  }
  const end = rest.indexOf("--");
  const options = rest.slice(0, end === -1 ? undefined : end);
  return options.some((word) => word === "--help" || word === "-h")
    ? { kind: "help", verb: name }
    : { kind: "run", verb: name, rest };
}

function overview(): string {
  const lines = Object.entries(SUMMARIES).map(([name, summary]) => `  ${name.padEnd(16)}${summary}`);
  return `patchctl edits a workspace by patches: checked, all or none, logged, and reversible.

Usage: patchctl VERB [options]          patchctl VERB --help tells each one's options

${lines.join("\n")}

On a terminal the answer is text, else one line of JSON; --json asks for JSON. Errors are told on stderr.
Exit codes: 0 done, 1 refused, 2 usage, 3 stale or conflicting, 4 a gate failed, 5 I/O.

  patchctl replace-block --file src/a.ts --start 3 --end 5 --block "const a = 1;"
  patchctl apply batch.json --dry-run
  git diff | patchctl apply-diff -
  patchctl import answer.md | patchctl apply -
  patchctl revert PATCH_ID          (each edit names its own; patchctl log lists batches)

With ORCHESTRATOR_URL and ORCHESTRATOR_TOKEN set, each edit is reported there.
`;
}
