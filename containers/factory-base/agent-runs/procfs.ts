import { existsSync, readdirSync, readFileSync } from "node:fs";

/** Ticks of the scheduler a second, in which proc(5) counts CPU time: 100 on every Linux (USER_HZ). */
const TICKS = 100;

/** Whether this system shows its processes (Linux). */
export const HAS_PROC = existsSync("/proc/self/stat");

/** A process as `/proc/PID/stat` shows it. */
export interface ProcessStat {
  pid: number;
  parent: number;
  group: number;
  session: number;
  isZombie: boolean;
  /** Of itself and of its children that have ended and were waited for. */
  cpuSeconds: number;
  /** In ticks since boot: with the pid, it names a process for as long as the machine runs. */
  startTime: string;
}

/** What stands in a file of `/proc`; null where the process has ended, or is another user's. */
function read(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

/** Null where there is no such process. */
export function statOf(pid: number): ProcessStat | null {
  const text = read(`/proc/${pid}/stat`);
  if (text === null) return null;
  // The name stands in parentheses and may hold any of them, and spaces: the fields begin after the last.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const number = (index: number): number => Number(fields[index] ?? 0);
  return {
    pid,
    isZombie: fields[0] === "Z" || fields[0] === "X",
    parent: number(1),
    group: number(2),
    session: number(3),
    cpuSeconds: (number(11) + number(12) + number(13) + number(14)) / TICKS,
    startTime: fields[19] ?? "",
  };
}

/** None where the system has no `/proc`. */
export function allProcesses(): ProcessStat[] {
  if (!HAS_PROC) return [];
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => statOf(Number(pid)) ?? []);
}

/** The environment a process was started with, as one text; empty where it may not be read. */
export const environmentOf = (pid: number): string => read(`/proc/${pid}/environ`) ?? "";

/** Resident memory in bytes. */
export function memoryOf(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`) ?? "")?.[1];
  return Number(kilobytes ?? 0) * 1024;
}
