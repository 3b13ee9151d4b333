import type { AgentRunEvent } from "@shared/contracts";

/** A page of what is stored. */
export interface OutputPage {
  events: readonly AgentRunEvent[];
  next: number;
  more: boolean;
  /** Whether the attempt is over. */
  ended: boolean;
}

export interface OutputReaderOptions {
  read: (after: number, signal: AbortSignal) => Promise<OutputPage>;
  /** Takes events in their order, each once; the next page is read once it is done with these. */
  onEvents: (events: readonly AgentRunEvent[]) => Promise<void> | void;
  onState: (state: OutputState) => void;
  /** Waits so long, or until the signal; default: by the clock. */
  wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** `reading`: catching up. `live`: all that is stored was read, and more may come. `ended`: that was all. */
export type OutputState =
  | { kind: "reading" }
  | { kind: "live" }
  | { kind: "ended" }
  | { kind: "failing"; error: unknown };

/** How often it looks by itself, should the stream bring no hint. */
const IDLE_MS = 4_000;
const RETRY_MS = 2_000;

/**
 * Reads an attempt's output from its beginning and goes on with it as it grows. The stream says that there is more; what
 * there is is read by its number, so nothing is missed and nothing comes twice, whatever the stream drops or repeats.
 */
export class OutputReader {
  readonly #options: OutputReaderOptions;
  readonly #stop = new AbortController();
  #next = 0;
  /** How far the stream said that there is something. */
  #hinted = 0;
  #wake: () => void = () => undefined;

  constructor(options: OutputReaderOptions) {
    this.#options = options;
  }

  /** Up to where events were given. */
  get next(): number {
    return this.#next;
  }

  /** Reads until the attempt has ended, or `stop`. */
  async run(): Promise<void> {
    const { read, onEvents, onState } = this.#options;
    const { signal } = this.#stop;
    onState({ kind: "reading" });
    while (!signal.aborted) {
      let page: OutputPage;
      try {
        page = await read(this.#next, signal);
      } catch (error) {
        if (signal.aborted) return;
        onState({ kind: "failing", error });
        await this.#pause(RETRY_MS);
        continue;
      }
      if (signal.aborted) return;
      // An answer that overlaps with what was given is cut to what is new.
      const fresh = page.events.filter(({ seq }) => seq > this.#next);
      if (fresh.length > 0) await onEvents(fresh);
      this.#next = Math.max(this.#next, page.next);
      if (page.more) continue;
      if (page.ended) return onState({ kind: "ended" });
      onState({ kind: "live" });
      if (this.#hinted <= this.#next) await this.#pause(IDLE_MS);
      // Hinted at and not stored yet, or never, as where storing reached its bound: not asked for without a pause again.
      else this.#hinted = this.#next;
    }
  }

  /** The stream says that there is something up to `seq`. */
  hint(seq: number): void {
    if (seq <= this.#hinted) return;
    this.#hinted = seq;
    if (seq > this.#next) this.#wake();
  }

  stop(): void {
    this.#stop.abort();
    this.#wake();
  }

  async #pause(ms: number): Promise<void> {
    const { wait = byClock } = this.#options;
    const over = new AbortController();
    await Promise.race([
      wait(ms, over.signal),
      new Promise<void>((resolve) => {
        this.#wake = resolve;
      }),
    ]);
    over.abort();
  }
}

const byClock = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
