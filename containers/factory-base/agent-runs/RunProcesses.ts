import { setTimeout as sleep } from "node:timers/promises";
import { findCgroup, type Cgroup } from "./cgroup.ts";
import { allProcesses, HAS_PROC, environmentOf, memoryOf, statOf, type ProcessStat } from "./procfs.ts";

/** Names the environment's mark by which a run's processes are known wherever they went. */
export const RUN_MARK = "VIBEHQ_RUN";

/** The first process of a run. */
export interface Leader {
  pid: number;
  startTime: string;
}

/** What a run's processes take together. */
export interface Taken {
  processes: number;
  memoryBytes: number;
  cpuSeconds: number;
}

const identity = ({ pid, startTime }: ProcessStat): string => `${pid}:${startTime}`;

/** How often those that are left are looked for and ended, and the pause between, in ms. */
const ROUNDS = 500;
const PAUSE_MS = 10;

/**
 * The processes of one run: its process group and session, whatever descends from it, whatever carries its mark in the
 * environment, and what its cgroup holds where there is one. A process that was seen once stays known when its parents
 * have ended and it has a session of its own.
 */
export class RunProcesses {
  readonly #mark: string;
  readonly #leader: Leader;
  readonly #cgroup: Cgroup | null;
  readonly #members = new Set<string>();
  readonly #strangers = new Set<string>();
  #cpuSeconds = 0;

  constructor(mark: string, leader: Leader, cgroup: Cgroup | null) {
    this.#mark = `${RUN_MARK}=${mark}\0`;
    this.#leader = leader;
    this.#cgroup = cgroup;
  }

  /** Those that live. A zombie has ended: who waits for it is not the run's business. */
  alive(): ProcessStat[] {
    const all = allProcesses();
    const held = new Set(this.#cgroup?.pids() ?? []);
    const found = new Map<number, ProcessStat>();
    for (const one of all) if (this.#isMember(one, held)) found.set(one.pid, one);
    // Descendants of any of them, however deep: until a pass finds no more.
    for (let before = -1; before !== found.size;) {
      before = found.size;
      for (const one of all) if (found.has(one.parent)) found.set(one.pid, one);
    }
    for (const one of found.values()) this.#members.add(identity(one));
    return [...found.values()].filter(({ isZombie }) => !isZombie);
  }

  measure(): Taken {
    const alive = this.alive();
    const counted = alive.reduce((sum, one) => sum + one.cpuSeconds, 0);
    // What ended unwaited for is no longer counted by anyone: the sum never falls.
    this.#cpuSeconds = Math.max(this.#cpuSeconds, counted, this.#cgroup?.cpuSeconds() ?? 0);
    return {
      processes: alive.length,
      memoryBytes: alive.reduce((sum, { pid }) => sum + memoryOf(pid), 0),
      cpuSeconds: this.#cpuSeconds,
    };
  }

  /** Asks all of them to end, and waits `graceMs` at most for it; then ends what is left. False: something would not go. */
  async end(graceMs: number): Promise<boolean> {
    if (graceMs > 0) {
      this.#signal("SIGTERM");
      for (let waited = 0; waited < graceMs && this.alive().length > 0; waited += PAUSE_MS * 2)
        await sleep(PAUSE_MS * 2);
    }
    for (let round = 0; round < ROUNDS; round++) {
      this.#cgroup?.kill();
      if (this.#signal("SIGKILL") === 0) {
        this.#cgroup?.remove();
        return true;
      }
      await sleep(PAUSE_MS);
    }
    return false;
  }

  #signal(signal: NodeJS.Signals): number {
    const alive = this.alive();
    for (const { pid, startTime } of alive) {
      // Between the look and the signal it may have ended, and its number be another's.
      if (statOf(pid)?.startTime === startTime) kill(pid, signal);
    }
    // Where nothing can be looked at, its process group is all that is known of a run.
    if (!HAS_PROC && this.#leader.pid > 0) kill(-this.#leader.pid, signal);
    return alive.length;
  }

  #isMember(one: ProcessStat, held: ReadonlySet<number>): boolean {
    const { pid, startTime } = this.#leader;
    if (one.pid === process.pid) return false;
    const id = identity(one);
    if (this.#members.has(id) || held.has(one.pid)) return true;
    // The leader's number stays its group's as long as one of the group lives; a later process of that number is not it.
    const isLaterLeader = one.pid === pid && one.startTime !== startTime;
    if (!isLaterLeader && (one.group === pid || one.session === pid) && Number(one.startTime) >= Number(startTime))
      return true;
    if (this.#strangers.has(id)) return false;
    if (`${environmentOf(one.pid)}\0`.includes(this.#mark)) return true;
    this.#strangers.add(id);
    return false;
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It has ended by itself, or, as another user's, is not ours to end: the next look tells.
    if (!(error instanceof Error && "code" in error && (error.code === "ESRCH" || error.code === "EPERM"))) throw error;
  }
}

/** Ends what a host that died has left of a run. */
export const endLeftovers = (mark: string, leader: Leader | null): Promise<boolean> =>
  new RunProcesses(mark, leader ?? { pid: -1, startTime: "0" }, findCgroup(mark)).end(0);
