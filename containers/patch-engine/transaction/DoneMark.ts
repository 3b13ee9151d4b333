import { closeSync, constants, openSync, readSync, writeSync } from "node:fs";
import { BOOT_ID } from "../workspace/WorkspaceLock.ts";

const WIDTH = 128;

/**
 * How far the log has been carried out on disk: the number of the last entry whose files all stand. Written in place,
 * without a sync: a torn or stale mark only makes the next open look at the last entry again. It names the kernel's
 * boot, because what was renamed before a power loss may not be on disk after it.
 */
export class DoneMark {
  readonly #fd: number;

  constructor(path: string) {
    this.#fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o644);
  }

  /** `seq` 0 where nothing is marked; `sure` false where it was marked before the kernel last started. */
  read(): { seq: number; sure: boolean } {
    const buffer = Buffer.alloc(WIDTH);
    readSync(this.#fd, buffer, 0, WIDTH, 0);
    const match = /^([0-9]+) ([0-9a-f-]*) +end\n$/u.exec(buffer.toString("latin1"));
    return match ? { seq: Number(match[1]), sure: match[2] === BOOT_ID } : { seq: 0, sure: false };
  }

  write(seq: number): void {
    const text = `${seq} ${BOOT_ID} `;
    writeSync(this.#fd, `${text.padEnd(WIDTH - 4)}end\n`, 0, "latin1");
  }

  close(): void {
    closeSync(this.#fd);
  }
}
