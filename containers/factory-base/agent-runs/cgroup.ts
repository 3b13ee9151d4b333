import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A group of the kernel's that no process leaves by itself, where this host may make one (cgroup v2). */
export interface Cgroup {
  /** A process that writes its id there joins, and all it starts from then on. */
  readonly procs: string;
  pids(): number[];
  cpuSeconds(): number;
  /** Ends everything in it at once, where the kernel can (Linux 5.14). */
  kill(): void;
  remove(): void;
}

const MOUNTS = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];

/** Null where there is no cgroup v2 or it is not this host's to write, as in most containers. */
export function makeCgroup(name: string): Cgroup | null {
  const path = pathOf(name);
  if (path === null) return null;
  try {
    mkdirSync(path, { recursive: true });
    // A directory in a mount that only looks like one is no group.
    if (!existsSync(join(path, "cgroup.procs"))) {
      rmdirSync(path);
      return null;
    }
  } catch {
    // Read-only or another's: runs are then known by their group, their descent and their mark alone.
    return null;
  }
  return cgroupAt(path);
}

/** The group that an earlier run of this host made by that name. */
export function findCgroup(name: string): Cgroup | null {
  const path = pathOf(name);
  return path !== null && existsSync(join(path, "cgroup.procs")) ? cgroupAt(path) : null;
}

function pathOf(name: string): string | null {
  const mount = MOUNTS.find(
    (one) => existsSync(join(one, "cgroup.procs")) && existsSync(join(one, "cgroup.controllers")),
  );
  return mount === undefined ? null : join(mount, `vibehq-run-${name}`);
}

const cgroupAt = (path: string): Cgroup => ({
  procs: join(path, "cgroup.procs"),
  pids: () =>
    readOf(join(path, "cgroup.procs"))
      .split("\n")
      .filter((line) => line !== "")
      .map(Number),
  cpuSeconds: () => Number(/^usage_usec (\d+)$/m.exec(readOf(join(path, "cpu.stat")))?.[1] ?? 0) / 1e6,
  kill: () => attempt(() => writeFileSync(join(path, "cgroup.kill"), "1")),
  // Refused while something is left in it; the next start of the host tries again.
  remove: () => attempt(() => rmdirSync(path)),
});

function readOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** What the kernel may refuse; the processes are ended one by one as well. */
function attempt(action: () => void): void {
  try {
    action();
  } catch {
    return;
  }
}
