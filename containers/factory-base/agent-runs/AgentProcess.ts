import { spawn, type ChildProcess } from "node:child_process";
import type { RunLimits } from "@shared/contracts";
import { makeCgroup } from "./cgroup.ts";
import type { OutputReader } from "./OutputReader.ts";
import { statOf } from "./procfs.ts";
import { RunProcesses, type Leader } from "./RunProcesses.ts";

/** How a program ended; null where it could not be started. */
export interface Exit {
  code: number | null;
  signal: string | null;
}

export interface Started {
  leader: Leader;
  processes: RunProcesses;
  /** Settles when the first process has ended; others of the run may live. */
  exited: Promise<Exit>;
  /** Settles when nobody holds its output any more, or soon after nobody should. */
  drained(): Promise<void>;
  /** Settles when it has written more than it may. */
  flooded: Promise<void>;
}

const DRAIN_MS = 5_000;

/**
 * Starts an agent as the first process of a session of its own, stdin closed, in its cgroup where there can be one. No
 * file may grow over the run's limit of disk, and no core is dumped. Null where it cannot be started.
 */
export function startAgent(
  command: { program: string; args: readonly string[]; env: Record<string, string>; cwd: string },
  parts: { mark: string; limits: RunLimits; reader: OutputReader },
): Started | null {
  const { mark, limits, reader } = parts;
  const cgroup = makeCgroup(mark);
  const join = cgroup === null ? "" : `echo $$ > ${cgroup.procs} 2>/dev/null;`;
  const blocks = Math.ceil(limits.diskBytes / 512);
  // `exec` keeps the process id: the shell becomes the agent.
  const script = `ulimit -c 0; ulimit -f ${blocks} 2>/dev/null; ${join} exec "$@"`;
  const child = spawn("/bin/sh", ["-c", script, "agent", command.program, ...command.args], {
    cwd: command.cwd,
    env: command.env,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const { pid, stdout, stderr } = child;
  const exited = exitOf(child);
  if (pid === undefined) return null;
  const leader: Leader = { pid, startTime: statOf(pid)?.startTime ?? "0" };

  const { promise: flooded, resolve: flood } = Promise.withResolvers<void>();
  const read = (stream: "stdout" | "stderr") => (chunk: Buffer) => {
    reader.push(stream, chunk);
    if (reader.isOver) flood();
  };
  stdout.on("data", read("stdout"));
  stderr.on("data", read("stderr"));
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  return {
    leader,
    processes: new RunProcesses(mark, leader, cgroup),
    exited,
    flooded,
    drained: () => settled(closed, DRAIN_MS).finally(() => [stdout, stderr].forEach((stream) => stream.destroy())),
  };
}

const exitOf = (child: ChildProcess): Promise<Exit> =>
  new Promise((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
    child.once("error", () => resolve({ code: null, signal: null }));
  });

async function settled(work: Promise<void>, ms: number): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
