import { readFileSync } from "node:fs";
import type { Engine } from "../index.ts";

/**
 * What a command line runs in: a process of its own, or a host that runs it for a `patchctl` at the other end of a
 * socket. Verbs reach the outside through it alone, so that both come to the same.
 */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** Whether a person reads `out`. */
  isTTY: boolean;
  cwd: string;
  env: Readonly<Record<string, string | undefined>>;
  /** The whole of standard input; throws a system error where it cannot be read. */
  stdin(): string;
  /** The engine that is open already, and the real path of its workspace. */
  held?: { engine: Engine; root: string };
  /** Names a batch that came without an id, so that whoever carries it out twice applies it once. */
  batchId?: string;
  /** Tells the orchestrator, behind the caller's back, what the log of this workspace holds. */
  report(root: string): void;
}

/** The terminal of this process; `stdin` where it has been read already. */
export function processTerminal(report: (root: string) => void, stdin?: string, batchId?: string): Terminal {
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    isTTY: process.stdout.isTTY,
    cwd: process.cwd(),
    env: process.env,
    stdin: () => stdin ?? readFileSync(0, "utf8"),
    ...(batchId !== undefined && { batchId }),
    report,
  };
}
