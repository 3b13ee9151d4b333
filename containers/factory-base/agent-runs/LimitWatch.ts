import { setTimeout as sleep } from "node:timers/promises";
import type { RunClass, RunLimits } from "@shared/contracts";
import { diskUsage } from "./diskUsage.ts";
import type { RunProcesses } from "./RunProcesses.ts";

/** A limit that was met, and what to tell of it. */
export interface Breach {
  class: Extract<RunClass, "timeout" | "disk-limit" | "memory-limit" | "cpu-limit" | "process-limit" | "output-limit">;
  message: string;
}

/** How often processes are looked at, in ms; and that walking the disk may take a tenth of the time. */
const LOOK_MS = 100;
const DISK_SHARE = 10;
const DISK_MS = 300;

/**
 * Looks at what a run takes until the signal says that it has ended, and tells the first limit that it meets. Between
 * two looks a run may go over: memory and disk are bounds of what is found, not of what can be touched.
 */
export async function watchLimits(
  limits: RunLimits,
  parts: {
    processes: RunProcesses;
    directories: readonly string[];
    /** What stood in them before the run's first process did. */
    before: number;
    signal: AbortSignal;
    clock: () => number;
  },
): Promise<Breach | null> {
  const { processes, directories, before, signal, clock } = parts;
  const started = clock();
  let nextWalk = 0;
  while (!signal.aborted) {
    if (clock() - started >= limits.timeoutMs) {
      return { class: "timeout", message: `it was not done after ${Math.round(limits.timeoutMs / 1000)} s` };
    }
    const breach = breachOf(limits, processes);
    if (breach) return breach;
    if (clock() >= nextWalk) {
      const from = clock();
      if ((await diskUsage(directories)) - before >= limits.diskBytes) return diskBreach(limits);
      const to = clock();
      nextWalk = to + Math.max(DISK_MS, (to - from) * DISK_SHARE);
    }
    await pause(LOOK_MS, signal);
  }
  // What was written between the last look and the end.
  return (await diskUsage(directories)) - before >= limits.diskBytes ? diskBreach(limits) : null;
}

const diskBreach = ({ diskBytes }: RunLimits): Breach => ({
  class: "disk-limit",
  message: `it wrote over ${diskBytes} bytes`,
});

function breachOf(limits: RunLimits, processes: RunProcesses): Breach | null {
  const taken = processes.measure();
  if (taken.processes > limits.processes) {
    return { class: "process-limit", message: `it ran over ${limits.processes} processes at once` };
  }
  if (taken.memoryBytes > limits.memoryBytes) {
    return { class: "memory-limit", message: `it held over ${limits.memoryBytes} bytes of memory` };
  }
  if (taken.cpuSeconds > limits.cpuSeconds) {
    return { class: "cpu-limit", message: `it used over ${limits.cpuSeconds} s of processor time` };
  }
  return null;
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    if (!(error instanceof Error && error.name === "AbortError")) throw error;
  }
}
