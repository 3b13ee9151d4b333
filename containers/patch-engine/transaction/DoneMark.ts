import { closeSync, constants, openSync, readSync, writeSync } from "node:fs";
import { BOOT_ID } from "../workspace/WorkspaceLock.ts";

const WIDTH = 128;

/** How far the log has been carried out. */
export interface Mark {
  /** The number of the last entry whose files all stand; 0 where none is marked. */
  seq: number;
  /** False where it was marked before the kernel last started: what was renamed then may not be on disk now. */
  sure: boolean;
  /** The number of the last entry whose files are known to stand on disk itself, so that no power loss takes them. */
  settled: number;
}

/**
 * How far the log has been carried out on disk. Written in place, without a sync: a torn or stale mark only makes the
 * next open look at more entries again. It names the kernel's boot, because what was renamed before a power loss may not
 * be on disk after it: a batch syncs its bytes and its record, not the directories its files are renamed in.
 */
export class DoneMark {
  readonly #fd: number;
  #settled = 0;

  constructor(path: string) {
    this.#fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o644);
  }

  read(): Mark {
    const buffer = Buffer.alloc(WIDTH);
    readSync(this.#fd, buffer, 0, WIDTH, 0);
    const match = /^([0-9]+) ([0-9a-f-]*) (?:([0-9]+) )? *end\n$/u.exec(buffer.toString("latin1"));
    this.#settled = Number(match?.[3] ?? 0);
    return { seq: Number(match?.[1] ?? 0), sure: match?.[2] === BOOT_ID, settled: this.#settled };
  }

  /** Marks an entry; `settled` where it and all before it are on disk itself. */
  write(seq: number, settled = false): void {
    if (settled) this.#settled = seq;
    const text = `${seq} ${BOOT_ID} ${this.#settled} `;
    writeSync(this.#fd, `${text.padEnd(WIDTH - 4)}end\n`, 0, "latin1");
  }

  close(): void {
    closeSync(this.#fd);
  }
}
