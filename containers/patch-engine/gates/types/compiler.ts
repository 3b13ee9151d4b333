import { existsSync, lstatSync, readFileSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { runProgram } from "../../workspace/runProgram.ts";

/** A `tsc` and what tells it from others. */
export interface Compiler {
  script: string;
  version: string;
}

/** The project's own compiler: installed beside its `tsconfig.json` or above it in the workspace; else this engine's. */
export function compilerFor(root: string, project: string): Compiler {
  for (let directory = dirname(join(root, project)); ; directory = dirname(directory)) {
    const script = join(directory, "node_modules/typescript/bin/tsc");
    if (existsSync(script)) return { script, version: versionOf(join(directory, "node_modules/typescript")) };
    if (directory === root || !directory.startsWith(root)) break;
  }
  return ownCompiler();
}

/** The compiler this engine brings with it. */
export function ownCompiler(): Compiler {
  const own = dirname(createRequire(import.meta.url).resolve("typescript/package.json"));
  return { script: join(own, "bin/tsc"), version: versionOf(own) };
}

function versionOf(directory: string): string {
  const file = join(directory, "package.json");
  const { mtimeMs } = lstatSync(realpathSync(file));
  const parsed: unknown = JSON.parse(readFileSync(file, "utf8"));
  const version = typeof parsed === "object" && parsed !== null && "version" in parsed ? parsed.version : undefined;
  return `${typeof version === "string" ? version : "?"} ${mtimeMs}`;
}

/** More than anyone reads: what a compiler says beyond it is not kept. */
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

export type Compiled = { ok: true; output: string; status: number } | { ok: false; reason: string };

/**
 * Checks one project: `tsc -p … --noEmit --incremental`. `deadline` ends it with all it started; it counts in
 * milliseconds from now.
 */
export async function compile(
  compiler: Compiler,
  directory: string,
  project: string,
  buildInfo: string,
  deadline: number,
): Promise<Compiled> {
  const args = ["-p", project, "--noEmit", "--incremental", "--tsBuildInfoFile", buildInfo, "--pretty", "false"];
  const keep = { part: "first", bytes: MAX_OUTPUT_BYTES } as const;
  const ended = await runProgram(process.execPath, [compiler.script, ...args], {
    cwd: directory,
    timeoutMs: deadline,
    keep,
  });
  if (ended.how === "failed") return { ok: false, reason: `the compiler could not be started: ${ended.code}` };
  if (ended.how === "timeout") return { ok: false, reason: "the compiler did not end in time and was ended" };
  const { status, signal, output } = ended;
  if (status === null) return { ok: false, reason: `the compiler was ended by ${signal ?? "a signal"}` };
  return { ok: true, output, status };
}
