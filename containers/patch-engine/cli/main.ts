import { stripVTControlCharacters } from "node:util";
import { EXIT } from "./exit.ts";
import type { Terminal } from "./terminal.ts";
import { Arguments, UsageError, type Verb } from "./verb.ts";
import { ElsewhereError } from "./workspace.ts";

/** Each verb's code is loaded when it is asked for. */
const VERBS: Readonly<Record<string, () => Promise<Verb>>> = {
  "replace-block": async () => (await import("./verbs/edits.ts")).replaceBlock,
  "insert-before": async () => (await import("./verbs/edits.ts")).insertBefore,
  "insert-after": async () => (await import("./verbs/edits.ts")).insertAfter,
  append: async () => (await import("./verbs/edits.ts")).append,
  prepend: async () => (await import("./verbs/edits.ts")).prepend,
  "search-replace": async () => (await import("./verbs/edits.ts")).searchReplace,
  "replace-marker": async () => (await import("./verbs/edits.ts")).replaceMarker,
  "create-file": async () => (await import("./verbs/edits.ts")).createFile,
  "delete-file": async () => (await import("./verbs/edits.ts")).deleteFile,
  "rename-file": async () => (await import("./verbs/edits.ts")).renameFile,
  apply: async () => (await import("./verbs/batches.ts")).apply,
  import: async () => (await import("./verbs/import.ts")).importText,
  simulate: async () => (await import("./verbs/batches.ts")).simulate,
  validate: async () => (await import("./verbs/batches.ts")).validate,
  revert: async () => (await import("./verbs/history.ts")).revert,
  show: async () => (await import("./verbs/history.ts")).show,
  log: async () => (await import("./verbs/history.ts")).log,
  verify: async () => (await import("./verbs/history.ts")).verify,
  replay: async () => (await import("./verbs/snapshots.ts")).replay,
  snapshot: async () => (await import("./verbs/snapshots.ts")).snapshot,
  restore: async () => (await import("./verbs/snapshots.ts")).restore,
  markers: async () => (await import("./verbs/markers.ts")).markers,
  flush: async () => (await import("./verbs/flush.ts")).flush,
  serve: async () => (await import("./verbs/serve.ts")).serve,
  mcp: async () => (await import("./verbs/mcp.ts")).mcp,
};

const HELP = new Set(["--help", "-h", "help"]);

/** Runs one command line; the exit code. */
export async function main(raw: readonly string[], terminal: Terminal): Promise<number> {
  const [name, ...rest] = raw;
  if (name === undefined || HELP.has(name)) {
    const asked = name === "help" ? rest[0] : undefined;
    if (asked !== undefined && Object.hasOwn(VERBS, asked)) return help(asked, terminal);
    const text = await overview();
    if (name === undefined) terminal.err(text);
    else terminal.out(text);
    return name === undefined ? EXIT.usage : EXIT.done;
  }
  const load = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
  if (!load) {
    terminal.err(`patchctl: there is no verb ${name}. \`patchctl --help\` lists them.\n`);
    return EXIT.usage;
  }
  const end = rest.indexOf("--");
  if (rest.slice(0, end === -1 ? undefined : end).some((word) => word === "--help" || word === "-h"))
    return help(name, terminal);
  const verb = await load();
  try {
    return await verb.run(Arguments.parse(rest, verb.args, terminal));
  } catch (error) {
    if (error instanceof ElsewhereError) throw error;
    if (!(error instanceof UsageError)) return await failed(error, terminal);
    terminal.err(`patchctl ${name}: ${error.message}\n\`patchctl ${name} --help\` tells how it is used.\n`);
    return EXIT.usage;
  }
}

/** What no verb foresaw: told without a stack, whose paths are nobody's business. */
async function failed(error: unknown, terminal: Terminal): Promise<number> {
  const message = error instanceof Error ? error.message : "failed";
  if (!terminal.isTTY) {
    const { vibeError } = await import("@shared/contracts");
    terminal.out(`${JSON.stringify({ ok: false, error: vibeError("INTERNAL", message, { nothingWritten: null }) })}\n`);
  }
  terminal.err(`INTERNAL: ${message}\n`);
  return EXIT.io;
}

async function help(name: string, terminal: Terminal): Promise<number> {
  const verb = await VERBS[name]?.();
  if (!verb) return EXIT.usage;
  const { renderUsage } = await import("citty");
  const usage = await renderUsage({ meta: { name, description: verb.summary }, args: verb.args }, OVERVIEW);
  terminal.out(`${terminal.isTTY ? usage : stripVTControlCharacters(usage)}\n`);
  return EXIT.done;
}

const OVERVIEW = { meta: { name: "patchctl" } };

async function overview(): Promise<string> {
  const lines: string[] = [];
  for (const [name, load] of Object.entries(VERBS)) lines.push(`  ${name.padEnd(16)}${(await load()).summary}`);
  return `patchctl edits a workspace by patches: checked, all or none, logged, and reversible.

Usage: patchctl VERB [options]          patchctl VERB --help tells each one's options

${lines.join("\n")}

On a terminal the answer is text, else one line of JSON; --json asks for JSON. Errors are told on stderr.
Exit codes: 0 done, 1 refused, 2 usage, 3 stale or conflicting, 4 a gate failed, 5 I/O.

  patchctl replace-block --file src/a.ts --start 3 --end 5 --block "const a = 1;"
  patchctl apply batch.json --dry-run
  patchctl revert PATCH_ID

With ORCHESTRATOR_URL and ORCHESTRATOR_TOKEN set, each edit is reported there.
`;
}
