import { readFileSync } from "node:fs";
import type { ArgsDef } from "citty";
import type { VibeError } from "@shared/contracts";
import { describeError, print, printAnswer, printFailure } from "../print.ts";
import { reportInBackground } from "../reportInBackground.ts";
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
      for (const problem of problems) process.stderr.write(`${describeError(problem)}\n`);
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
    if (answer.ok && !dry) reportInBackground(root);
    return exit;
  });
}

/** Reads a batch, and the files its `blockFile`s name, relative to the current directory. */
async function readBatch(args: Arguments): Promise<{ ok: true; batch: unknown } | { ok: false; exit: number }> {
  const { MAX_BATCH_BYTES, vibeError } = await import("@shared/contracts");
  const path = args.text("batch");
  if (path === undefined) throw new UsageError("name a batch: a file, or - for standard input");
  const read = readInput(args, path);
  if (!read.ok) return read;
  const refuse = (error: VibeError) => ({ ok: false as const, exit: printFailure(args, error) });
  if (Buffer.byteLength(read.text) > MAX_BATCH_BYTES) {
    return refuse(vibeError("BODY_TOO_LARGE", `a batch is at most ${MAX_BATCH_BYTES} bytes`));
  }
  let batch: unknown;
  try {
    batch = JSON.parse(read.text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return refuse(vibeError("MALFORMED_JSON", `the batch is not JSON: ${error.message}`));
  }
  if (typeof batch !== "object" || batch === null || !("patches" in batch) || !Array.isArray(batch.patches)) {
    return { ok: true, batch };
  }
  const patches: unknown[] = [];
  for (const patch of batch.patches as unknown[]) {
    const named = typeof patch === "object" && patch !== null && "blockFile" in patch ? patch : null;
    if (named === null || typeof named.blockFile !== "string") {
      patches.push(patch);
      continue;
    }
    if ("block" in named) {
      return refuse(vibeError("VALIDATION_FAILED", "a patch has either a block or a blockFile, not both"));
    }
    try {
      const { blockFile, ...rest } = named;
      patches.push({ ...rest, block: readFileSync(blockFile, "utf8") });
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : "failed";
      return refuse(vibeError("IO_ERROR", `cannot read the blockFile ${named.blockFile}: ${code}`));
    }
  }
  return { ok: true, batch: { ...batch, patches } };
}
