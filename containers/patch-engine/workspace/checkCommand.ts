import type { CheckOutcome } from "@shared/contracts";
import { runProgram } from "./runProgram.ts";

/** The last part of a command's output that an answer carries, in bytes. */
const MAX_OUTPUT_BYTES = 16 * 1024;

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

async function run(
  program: string,
  args: string[],
  root: string,
  timeoutMs: number,
): Promise<{ ok: boolean; message: string }> {
  const keep = { part: "last", bytes: MAX_OUTPUT_BYTES } as const;
  const ended = await runProgram(program, args, { cwd: root, timeoutMs, keep });
  if (ended.how === "failed") return { ok: false, message: `the check command could not be started: ${ended.code}` };
  const how =
    ended.how === "timeout"
      ? `the check ran longer than ${timeoutMs} ms and was ended`
      : `the check ended with ${ended.signal ?? `status ${ended.status}`}`;
  const text = ended.output.trim();
  return { ok: ended.how === "ended" && ended.status === 0, message: text === "" ? how : `${how}\n${text}` };
}
