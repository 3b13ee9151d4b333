import { stripVTControlCharacters } from "node:util";
import { EXIT } from "./exit.ts";
import { readCommand, SUMMARIES, type VerbName } from "./overview.ts";
import type { Terminal } from "./terminal.ts";
import { Arguments, UsageError, type Verb } from "./verb.ts";
import { ElsewhereError } from "./workspace.ts";

/** Each verb's code is loaded when it is asked for. */
const VERBS: Readonly<Record<VerbName, () => Promise<Verb>>> = {
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
  "apply-diff": async () => (await import("./verbs/edits.ts")).applyDiff,
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

/** Runs one command line; the exit code. */
export async function main(raw: readonly string[], terminal: Terminal): Promise<number> {
  const command = readCommand(raw);
  if (command.kind === "told") {
    if (command.out !== "") terminal.out(command.out);
    if (command.err !== "") terminal.err(command.err);
    return command.exit;
  }
  if (command.kind === "help") return help(command.verb, terminal);
  const { verb: name, rest } = command;
  const verb = await VERBS[name]();
  try {
    return await verb.run(Arguments.parse(rest, verb.args, terminal));
  } catch (error) {
    if (error instanceof ElsewhereError) throw error;
    if (!(error instanceof UsageError)) return await failed(error, terminal);
    terminal.err(
      `patchctl ${name}: ${stripVTControlCharacters(error.message)}\n\`patchctl ${name} --help\` tells how it is used.\n`,
    );
    return EXIT.usage;
  }
}

/** What no verb foresaw: told without a stack, whose paths are nobody's business. */
async function failed(error: unknown, terminal: Terminal): Promise<number> {
  const message = error instanceof Error ? error.message : "failed";
  if (!terminal.isTTY) terminal.out(`${(await import("./internalError.ts")).internalError(message)}\n`);
  terminal.err(`INTERNAL: ${message}\n`);
  return EXIT.io;
}

async function help(name: VerbName, terminal: Terminal): Promise<number> {
  const verb = await VERBS[name]();
  const { renderUsage } = await import("citty");
  const usage = await renderUsage({ meta: { name, description: SUMMARIES[name] }, args: verb.args }, OVERVIEW);
  terminal.out(`${terminal.isTTY ? usage : stripVTControlCharacters(usage)}\n`);
  return EXIT.done;
}

const OVERVIEW = { meta: { name: "patchctl" } };
