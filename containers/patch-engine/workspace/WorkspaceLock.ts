import { linkSync, readdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { randomUUID } from "node:crypto";
import { fail, type Result } from "@shared/contracts";
import { isMissing, isThere } from "./systemError.ts";

/** The folder in a workspace that holds the engine's log and diffs, and the tasks and policy it works by. */
export const MISSION_CONTROL = ".mission_control";

interface Holder {
  nonce: string;
  host: string;
  boot: string;
  pid: number;
  /** Clock ticks from boot to the process's start: a pid used again is another process. */
  started: string;
}

const readText = (path: string): string | null => {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
};

/** The running kernel's boot, which ends every process and every page not yet on disk; empty where it has no name. */
export const BOOT_ID = ((): string => {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "";
  }
})();

/** The start time of a process (proc(5), field 22 of stat), "" where the system does not say, null where none runs. */
function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command may hold spaces and parentheses, so fields count from the last parenthesis.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A zombie has ended; only its parent has not noticed.
    return fields[0] === "Z" || fields[0] === "X" ? null : (fields[19] ?? "");
  } catch {
    if (BOOT_ID !== "") return null;
  }
  try {
    process.kill(pid, 0);
    return "";
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM" ? "" : null;
  }
}

function parseHolder(text: string): Holder | null {
  const [nonce, host, boot, pid, started] = text.split("\n");
  if (!nonce || host === undefined || boot === undefined || pid === undefined || started === undefined) return null;
  return { nonce, host, boot, pid: Number(pid), started };
}

/**
 * Dead only where that is certain: same machine, and rebooted since, or no such process, or another one by that pid. A
 * lock file appears whole or not at all, so one that names no holder is what a power loss left of one.
 */
function isDead(holder: Holder | null): boolean {
  if (!holder) return true;
  if (holder.host !== hostname()) return false;
  if (holder.boot !== BOOT_ID) return true;
  const started = startOf(holder.pid);
  return started === null || started !== holder.started;
}

const POLL_MS = 4;
const MAX_POLL_MS = 50;

/**
 * A lock between processes: a file that appears whole (it is linked into place) and names its holder. It is taken over
 * when its holder is dead, which the system is asked for; no age makes a lock stale. Only whoever holds the lock
 * `<path>.t` may remove a dead one's file, and that lock is of the same kind, so two waiters never remove each other's.
 */
export class WorkspaceLock {
  readonly #path: string;
  readonly #text: string;
  readonly #nonce = randomUUID();
  readonly #own: string;

  constructor(path: string) {
    this.#path = path;
    this.#own = `${path}.${this.#nonce}`;
    this.#text = [this.#nonce, hostname(), BOOT_ID, process.pid, startOf(process.pid) ?? "", ""].join("\n");
  }

  /** Waits for the lock. LOCK_TIMEOUT names the holder, which lives or is of another machine. */
  async acquire(timeoutMs: number): Promise<Result<{ release: () => void }>> {
    const deadline = performance.now() + timeoutMs;
    let pause = POLL_MS;
    for (;;) {
      if (this.#link(this.#path)) return { ok: true, release: () => this.#unlock() };
      const text = readText(this.#path);
      const holder = text === null ? null : parseHolder(text);
      if (text === null) continue;
      if (isDead(holder) && this.#removeDead(this.#path, text)) continue;
      if (performance.now() >= deadline) {
        const who = holder ? `process ${holder.pid} on ${holder.host}` : "an unknown process";
        return fail("LOCK_TIMEOUT", `the workspace is locked by ${who}`);
      }
      await sleep(pause);
      pause = Math.min(pause * 2, MAX_POLL_MS);
    }
  }

  /** Someone may have removed the file by hand, and another process may hold the lock since: that one stays. */
  #unlock(): void {
    const text = readText(this.#path);
    if (text !== null && parseHolder(text)?.nonce === this.#nonce) unlinkSync(this.#path);
  }

  /** Lets go of the lock for good: it may not be held, nor acquired again. */
  close(): void {
    rmSync(this.#own, { force: true });
  }

  #link(path: string): boolean {
    for (;;) {
      try {
        linkSync(this.#own, path);
        return true;
      } catch (error) {
        if (isThere(error)) return false;
        if (!isMissing(error)) throw error;
        this.#writeOwn();
      }
    }
  }

  /** Writes the file that is linked into place, once for all times the lock is taken; those of the dead go. */
  #writeOwn(): void {
    const directory = dirname(this.#path);
    const prefix = `${basename(this.#path)}.`;
    for (const name of readdirSync(directory)) {
      if (!name.startsWith(prefix) || name.length < prefix.length + this.#nonce.length) continue;
      const holder = parseHolder(readText(join(directory, name)) ?? "");
      if (holder && isDead(holder)) rmSync(join(directory, name), { force: true });
    }
    writeFileSync(this.#own, this.#text, { mode: 0o600 });
  }

  /** Removes a dead holder's file, unless someone else is about to. True when the caller should try again at once. */
  #removeDead(path: string, dead: string): boolean {
    const guard = `${path}.t`;
    if (!this.#link(guard)) {
      const text = readText(guard);
      return text !== null && isDead(parseHolder(text)) && this.#removeDead(guard, text);
    }
    try {
      // The file may be a living holder's by now: between the look at it and the guard, another took it over.
      if (readText(path) === dead) unlinkSync(path);
      return true;
    } finally {
      unlinkSync(guard);
    }
  }
}
