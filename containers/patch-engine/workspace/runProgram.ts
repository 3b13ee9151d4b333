import { spawn } from "node:child_process";

/** What a program sees of this process's environment. Tokens of the engine and its host are not among it. */
const PASSED_ON = ["PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "USER", "SHELL"];

/** How a program ended: `failed` is the system's code where it could not be started. */
export type Ended =
  | { how: "failed"; code: string }
  | { how: "timeout"; output: string }
  | { how: "ended"; status: number | null; signal: NodeJS.Signals | null; output: string };

/**
 * Runs a program without a shell, without this process's secrets, and for a bounded time (milliseconds). When it ends
 * or runs out of it, every process it started goes with it. Of what it prints, on either stream, `keep` bytes are kept:
 * the first or the last.
 */
export function runProgram(
  program: string,
  args: readonly string[],
  options: { cwd: string; timeoutMs: number; keep: { part: "first" | "last"; bytes: number } },
): Promise<Ended> {
  const { cwd, timeoutMs, keep } = options;
  const env: NodeJS.ProcessEnv = { CI: "1", NO_COLOR: "1" };
  for (const name of PASSED_ON) if (process.env[name] !== undefined) env[name] = process.env[name];
  return new Promise((resolve) => {
    // Its own process group, so that what it starts can be ended with it.
    const child = spawn(program, args, { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    const chunks: Buffer[] = [];
    let size = 0;
    let timedOut = false;
    const collect = (chunk: Buffer) => {
      if (keep.part === "first" && size >= keep.bytes) return;
      chunks.push(chunk);
      size += chunk.length;
      while (keep.part === "last" && size - (chunks[0]?.length ?? 0) >= keep.bytes) size -= chunks.shift()?.length ?? 0;
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
      Math.max(0, timeoutMs),
    );
    // The pipes stay open as long as any descendant has them: end the group when the program itself has ended.
    child.on("exit", endGroup);
    child.on("error", (error) => {
      clearTimeout(timer);
      resolve({ how: "failed", code: "code" in error && typeof error.code === "string" ? error.code : "failed" });
    });
    child.on("close", (status, signal) => {
      clearTimeout(timer);
      const all = Buffer.concat(chunks);
      const output = (keep.part === "first" ? all.subarray(0, keep.bytes) : all.subarray(-keep.bytes)).toString("utf8");
      resolve(timedOut ? { how: "timeout", output } : { how: "ended", status, signal, output });
    });
  });
}
