import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Engine } from "../index.ts";
import { EXIT } from "./exit.ts";
import { printFailure } from "./print.ts";
import { UsageError, type Arguments } from "./verb.ts";

/** The workspace's root: `--root`, or the nearest directory from here upwards that is one. */
export function rootOf(args: Arguments): string {
  const given = args.text("root");
  if (given !== undefined) {
    if (!existsSync(given)) throw new UsageError(`--root: there is no directory ${given}`);
    return resolve(given);
  }
  for (let directory = process.cwd(); ; directory = dirname(directory)) {
    if (existsSync(join(directory, ".mission_control")) || existsSync(join(directory, ".git"))) return directory;
    if (dirname(directory) === directory) {
      throw new UsageError("no workspace here: no parent directory has .mission_control or .git; give --root");
    }
  }
}

/**
 * The id by which the orchestrator knows this workspace: `VIBEHQ_WORKSPACE_ID`, else what the host that opened it wrote
 * into `source.json`, else `default`.
 */
export function workspaceIdOf(root: string): string {
  const named = process.env.VIBEHQ_WORKSPACE_ID;
  if (named !== undefined && named !== "") return named;
  const path = join(root, ".mission_control", "source.json");
  if (!existsSync(path)) return "default";
  try {
    const source: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (typeof source === "object" && source !== null && "workspaceId" in source) {
      if (typeof source.workspaceId === "string") return source.workspaceId;
    }
    return "default";
  } catch (error) {
    if (error instanceof SyntaxError) throw new UsageError(".mission_control/source.json is not JSON");
    throw error;
  }
}

/** Opens the engine of the workspace, runs an action on it, and lets go of it; the exit code. */
export async function withEngine(
  args: Arguments,
  action: (engine: Engine, root: string) => Promise<number>,
): Promise<number> {
  const root = rootOf(args);
  const { openEngine } = await import("../index.ts");
  const opened = await openEngine({ root, workspaceId: workspaceIdOf(root) });
  if (!opened.ok) return printFailure(args, opened.error);
  try {
    return await action(opened.engine, root);
  } finally {
    await opened.engine.close();
  }
}

/** Reads a text argument's file, `-` for standard input. Null, with the reason printed, where that fails. */
export function readInput(args: Arguments, path: string): { ok: true; text: string } | { ok: false; exit: number } {
  try {
    return { ok: true, text: readFileSync(path === "-" ? 0 : path, "utf8") };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "failed";
    process.stderr.write(`cannot read ${path}: ${code}\n`);
    if (args.flag("json") || !process.stdout.isTTY) {
      const failure = {
        code: "IO_ERROR",
        message: `cannot read ${path}: ${code}`,
        retryable: true,
        nothingWritten: true,
      };
      process.stdout.write(`${JSON.stringify({ ok: false, error: failure })}\n`);
    }
    return { ok: false, exit: EXIT.io };
  }
}
