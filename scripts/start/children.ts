import { type ChildProcess, spawn } from "node:child_process";
import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** How long a process group may take to end by itself after SIGTERM, and to be gone after SIGKILL. */
const GRACE_MS = 8_000;
const KILLED_MS = 2_000;

const isAlive = (group: number): boolean => {
  try {
    process.kill(-group, 0);
    return true;
  } catch {
    return false; // ESRCH: nobody left in the group
  }
};

/**
 * A program in a process group of its own, so that it ends with everything it started, and so that the terminal's Ctrl-C
 * reaches it through us and in our order. Its stdin stays open as long as we live: programs made for it end with us.
 */
export class Child {
  readonly name: string;
  /** Settles when the program has ended, whoever ended it. */
  readonly exited: Promise<number | null>;
  readonly #process: ChildProcess;
  readonly #listeners: ((line: string) => void)[] = [];
  #rest = "";

  constructor(
    name: string,
    program: string,
    args: string[],
    options: { env: NodeJS.ProcessEnv; cwd: string; log: string },
  ) {
    this.name = name;
    this.#process = spawn(program, args, { cwd: options.cwd, env: options.env, detached: true, stdio: "pipe" });
    this.exited = new Promise((resolve) => {
      this.#process.once("error", () => resolve(null));
      this.#process.once("close", (code) => resolve(code));
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.setEncoding("utf8").on("data", (chunk: string) => {
        appendFileSync(options.log, chunk);
        this.#rest += chunk;
        const lines = this.#rest.split("\n");
        this.#rest = lines.pop() ?? "";
        for (const line of lines) for (const listener of this.#listeners) listener(line);
      });
    }
  }

  /** Calls back with every further line of stdout and stderr. */
  onLine(listener: (line: string) => void): void {
    this.#listeners.push(listener);
  }

  /** Ends the whole group: SIGTERM, and SIGKILL for what stays after `grace` ms. Returns when none of it is left. */
  async end(grace = GRACE_MS): Promise<void> {
    const group = this.#process.pid;
    if (group === undefined) return;
    for (const [signal, patience] of [
      ["SIGTERM", grace],
      ["SIGKILL", KILLED_MS],
    ] as const) {
      if (!isAlive(group)) return;
      try {
        process.kill(-group, signal);
      } catch {
        return; // it ended in between
      }
      const deadline = Date.now() + patience;
      while (isAlive(group) && Date.now() < deadline) await sleep(20);
    }
  }
}
