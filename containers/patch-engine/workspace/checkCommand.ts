import { spawn } from "node:child_process";
import type { CheckOutcome } from "@shared/contracts";

/** The last part of a command's output that an answer carries, in bytes. */
const MAX_OUTPUT_BYTES = 16 * 1024;

/** What a check sees of this process's environment. Tokens of the engine and its host are not among it. */
const PASSED_ON = ["PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "USER", "SHELL"];

/**
 * Runs a workspace's own check: program and arguments, no shell, in the root. When it ends or runs out of time, every
 * process it started goes with it. `ok` null: there is no command.
 */
export async function runCheck(
  command: readonly string[] | undefined,
  root: string,
  timeoutMs: number,
  now: () => Date,
): Promise<CheckOutcome> {
  const [program, ...args] = command ?? [];
  if (program === undefined) return { name: "check", level: "off", ok: null, findings: [] };
  const started = now().getTime();
  const { ok, message } = await run(program, args, root, timeoutMs);
  return {
    name: "check",
    level: "fail",
    ok,
    findings: ok ? [] : [{ code: "CHECK_FAILED", message: message.replaceAll(root, ".") }],
    durationMs: Math.max(0, now().getTime() - started),
  };
}

function run(
  program: string,
  args: string[],
  root: string,
  timeoutMs: number,
): Promise<{ ok: boolean; message: string }> {
  const env: NodeJS.ProcessEnv = { CI: "1", NO_COLOR: "1" };
  for (const name of PASSED_ON) if (process.env[name] !== undefined) env[name] = process.env[name];
  return new Promise((resolve) => {
    // Its own process group, so that what it starts can be ended with it.
    const child = spawn(program, args, { cwd: root, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    let output = Buffer.alloc(0);
    let timedOut = false;
    const collect = (chunk: Buffer) => {
      output = Buffer.concat([output, chunk]).subarray(-MAX_OUTPUT_BYTES);
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
    const timer = setTimeout(() => {
      timedOut = true;
      endGroup();
    }, timeoutMs);
    // The pipes stay open as long as any descendant has them: end the group when the command itself has ended.
    child.on("exit", endGroup);
    child.on("error", (error) => {
      clearTimeout(timer);
      const code = "code" in error && typeof error.code === "string" ? error.code : "failed";
      resolve({ ok: false, message: `the check command could not be started: ${code}` });
    });
    child.on("close", (status, signal) => {
      clearTimeout(timer);
      const how = timedOut
        ? `the check ran longer than ${timeoutMs} ms and was ended`
        : `the check ended with ${signal ?? `status ${status}`}`;
      const text = output.toString("utf8").trim();
      resolve({ ok: status === 0 && !timedOut, message: text === "" ? how : `${how}\n${text}` });
    });
  });
}
