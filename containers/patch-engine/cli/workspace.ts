import { existsSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Engine } from "../index.ts";
import { EXIT } from "./exit.ts";
import { printFailure, wantsJson } from "./print.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError, type Arguments } from "./verb.ts";

/** The workspace's root: `--root`, or the nearest directory from here upwards that is one. */
export function rootOf(args: Arguments): string {
  const given = args.text("root");
  if (given !== undefined) {
    const root = resolve(args.terminal.cwd, given);
    if (!existsSync(root)) throw new UsageError(`--root: there is no directory ${given}`);
    return root;
  }
  for (let directory = args.terminal.cwd; ; directory = dirname(directory)) {
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
export function workspaceIdOf(root: string, env: Terminal["env"]): string {
  const named = env.VIBEHQ_WORKSPACE_ID;
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

/** A host was asked for another workspace than the one it was asked through; the caller does the work itself. */
export class ElsewhereError extends Error {}

/** Opens the engine of the workspace, runs an action on it, and lets go of it; the exit code. */
export async function withEngine(
  args: Arguments,
  action: (engine: Engine, root: string) => Promise<number>,
): Promise<number> {
  const root = rootOf(args);
  const { held } = args.terminal;
  if (held) {
    if (realpathSync(root) !== held.root) throw new ElsewhereError();
    return action(held.engine, root);
  }
  const { openEngine } = await import("../index.ts");
  const opened = await openEngine({ root, workspaceId: workspaceIdOf(root, args.terminal.env) });
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
    return {
      ok: true,
      text: path === "-" ? args.terminal.stdin() : readFileSync(resolve(args.terminal.cwd, path), "utf8"),
    };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "failed";
    args.terminal.err(`cannot read ${path}: ${code}\n`);
    if (wantsJson(args)) {
      const failure = {
        code: "IO_ERROR",
        message: `cannot read ${path}: ${code}`,
        retryable: true,
        nothingWritten: true,
      };
      args.terminal.out(`${JSON.stringify({ ok: false, error: failure })}\n`);
    }
    return { ok: false, exit: EXIT.io };
  }
}
