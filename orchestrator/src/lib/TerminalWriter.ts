/** What of a terminal is written to: it parses what it is given later, and says when it has. */
export interface WritableTerminal {
  write(text: string, done: () => void): void;
}

/** A write is at most so many characters: the terminal parses one at a time and leaves the page free between them. */
const MAX_WRITE = 64 * 1024;
/** Whoever writes waits while more than this is pending. */
const HIGH_WATER = 512 * 1024;

/**
 * Writes to a terminal no faster than it parses: one write is under way, what comes meanwhile is gathered into the next.
 * `write` answers once there is room for more, so a reader that waits for it holds a bounded amount.
 */
export class TerminalWriter {
  readonly #terminal: WritableTerminal;
  #pending: string[] = [];
  #size = 0;
  #writing = false;
  #waiting: (() => void)[] = [];
  #closed = false;

  constructor(terminal: WritableTerminal) {
    this.#terminal = terminal;
  }

  /** Characters that the terminal has not been given yet. */
  get pending(): number {
    return this.#size;
  }

  write(text: string): Promise<void> {
    if (this.#closed || text === "") return Promise.resolve();
    for (let at = 0; at < text.length;) {
      let end = Math.min(text.length, at + MAX_WRITE);
      // Not between the halves of a surrogate pair.
      if (end < text.length && /[\uD800-\uDBFF]/.test(text[end - 1] ?? "")) end -= 1;
      this.#pending.push(text.slice(at, end));
      at = end;
    }
    this.#size += text.length;
    this.#next();
    return this.#size <= HIGH_WATER ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Drops what is pending and lets go of whoever waits. */
  close(): void {
    this.#closed = true;
    this.#pending = [];
    this.#size = 0;
    this.#release();
  }

  #next(): void {
    if (this.#writing || this.#closed) return;
    let text = this.#pending.shift();
    if (text === undefined) return;
    for (
      let more = this.#pending[0];
      more !== undefined && text.length + more.length <= MAX_WRITE;
      more = this.#pending[0]
    ) {
      text += more;
      this.#pending.shift();
    }
    const { length } = text;
    this.#writing = true;
    this.#terminal.write(text, () => {
      this.#writing = false;
      if (this.#closed) return;
      this.#size -= length;
      if (this.#size <= HIGH_WATER / 2) this.#release();
      this.#next();
    });
  }

  #release(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
