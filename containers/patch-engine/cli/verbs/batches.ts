import type { ArgsDef } from "citty";
import { describeError, print, printAnswer, printFailure } from "../print.ts";
import { EXIT, exitCodeOf } from "../exit.ts";
import { commonArgs, UsageError, type Arguments, type Verb } from "../verb.ts";
import { readInput, withEngine } from "../workspace.ts";

const batchArg = {
  batch: { type: "positional", required: true, description: "The batch as JSON: a file, or - for standard input" },
} as const satisfies ArgsDef;

export const apply: Verb = {
  summary: "Apply a batch of patches, all or none",
  args: {
    ...batchArg,
    "dry-run": { type: "boolean", description: "Show what it would do, and write nothing" },
    ...commonArgs,
  },
  run: (args) => send(args, args.flag("dry-run")),
};

export const simulate: Verb = {
  summary: "Show what a batch would do, and write nothing",
  args: { ...batchArg, ...commonArgs },
  run: (args) => send(args, true),
};

export const validate: Verb = {
  summary: "Check a batch against the workspace, and name each problem; writes nothing",
  args: { ...batchArg, ...commonArgs },
  async run(args) {
    const read = await readBatch(args);
    if (!read.ok) return read.exit;
    return withEngine(args, async (engine) => {
      const answer = await engine.apply({ batch: read.batch, simulate: true, door: "patchctl" });
      const { error, outcome } = answer;
      const own = (outcome?.patches ?? []).flatMap((patch) =>
        patch.error && patch.error.code !== "BATCH_REFUSED" ? [{ ...patch.error, patchId: patch.patch_id }] : [],
      );
      const problems = own.length > 0 ? own : error ? [error] : [];
      const value = { ok: answer.ok, problems, checks: outcome?.checks ?? [], patches: outcome?.patches ?? [] };
      print(args, value, error ? "" : `ok: ${outcome?.patches.length ?? 0} patches fit`);
      for (const problem of problems) args.terminal.err(`${describeError(problem)}\n`);
      return error ? exitCodeOf(error) : EXIT.done;
    });
  },
};

async function send(args: Arguments, dry: boolean): Promise<number> {
  const read = await readBatch(args);
  if (!read.ok) return read.exit;
  return withEngine(args, async (engine, root) => {
    const answer = await engine.apply({ batch: read.batch, simulate: dry, door: "patchctl" });
    const exit = printAnswer(args, answer, dry);
    if (answer.ok && !dry) args.terminal.report(root);
    return exit;
  });
}

/** Reads the batch that the command line names. */
async function readBatch(args: Arguments): Promise<{ ok: true; batch: unknown } | { ok: false; exit: number }> {
  const path = args.text("batch");
  if (path === undefined) throw new UsageError("name a batch: a file, or - for standard input");
  const read = readInput(args, path);
  if (!read.ok) return read;
  const { named, readBatchText } = await import("../batchInput.ts");
  const { terminal } = args;
  const parsed = readBatchText(read.text, terminal.cwd);
  if (!parsed.ok) return { ok: false, exit: printFailure(args, parsed.error) };
  return { ok: true, batch: named(parsed.batch, terminal.batchId) };
}
