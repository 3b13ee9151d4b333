import { spawn } from "node:child_process";
import { existsSync, lstatSync, readFileSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

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

/** What a compiler sees of this process's environment. Tokens of the engine and its host are not among it. */
const PASSED_ON = ["PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "USER"];
/** More than anyone reads: what a compiler says beyond it is not kept. */
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

export type Compiled = { ok: true; output: string; status: number } | { ok: false; reason: string };

/**
 * Checks one project: `tsc -p … --noEmit --incremental`. `deadline` ends it with all it started; it counts in
 * milliseconds from now.
 */
export function compile(
  compiler: Compiler,
  directory: string,
  project: string,
  buildInfo: string,
  deadline: number,
): Promise<Compiled> {
  const args = ["-p", project, "--noEmit", "--incremental", "--tsBuildInfoFile", buildInfo, "--pretty", "false"];
  const env: NodeJS.ProcessEnv = { CI: "1", NO_COLOR: "1" };
  for (const name of PASSED_ON) if (process.env[name] !== undefined) env[name] = process.env[name];
  return new Promise((resolve) => {
    // Its own process group, so that what it starts can be ended with it.
    const child = spawn(process.execPath, [compiler.script, ...args], {
      cwd: directory,
      env,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const chunks: Buffer[] = [];
    let size = 0;
    let timedOut = false;
    const collect = (chunk: Buffer) => {
      if (size < MAX_OUTPUT_BYTES) chunks.push(chunk);
      size += chunk.length;
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    const endGroup = () => {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, "SIGKILL");
      } catch (error) {
        // No such group: all of it has ended.
        if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
      }
    };
    const timer = setTimeout(
      () => {
        timedOut = true;
        endGroup();
      },
      Math.max(0, deadline),
    );
    child.on("exit", endGroup);
    child.on("error", (error) => {
      clearTimeout(timer);
      const code = "code" in error && typeof error.code === "string" ? error.code : "failed";
      resolve({ ok: false, reason: `the compiler could not be started: ${code}` });
    });
    child.on("close", (status, signal) => {
      clearTimeout(timer);
      if (timedOut) resolve({ ok: false, reason: "the compiler did not end in time and was ended" });
      else if (status === null) resolve({ ok: false, reason: `the compiler was ended by ${signal ?? "a signal"}` });
      else resolve({ ok: true, output: Buffer.concat(chunks).toString("utf8"), status });
    });
  });
}
