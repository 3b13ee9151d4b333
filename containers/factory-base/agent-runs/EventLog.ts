import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { AgentRunEventSchema, type AgentRunEvent } from "@shared/contracts";

/** An event before it has its place. */
export type EventDraft = AgentRunEvent extends infer Event
  ? Event extends AgentRunEvent
    ? Omit<Event, "seq" | "ts">
    : never
  : never;

/**
 * The events of one run, in order, as lines of NDJSON. They stand on disk, so that they outlive the host, and in memory
 * while the run lasts. What comes in is redacted already, and bounded by the run's limit of output.
 */
export class EventLog {
  readonly #path: string;
  readonly #now: () => Date;
  #lines: string[] | null = [];
  #count = 0;
  #unsaved: string[] = [];
  #ended = false;
  readonly #waiting = new Set<() => void>();

  constructor(path: string, now: () => Date) {
    this.#path = path;
    this.#now = now;
  }

  /** The events of a run that has ended: `seq` is the last one's. */
  static ended(path: string, now: () => Date, seq: number): EventLog {
    const log = new EventLog(path, now);
    log.#lines = null;
    log.#ended = true;
    log.#count = seq;
    return log;
  }

  /** The events that a host which died has left, to be ended. */
  static left(path: string, now: () => Date): EventLog {
    const log = new EventLog(path, now);
    const lines = log.#read();
    // A line that was written half would spoil the next.
    writeFileSync(path, lines.map((line) => `${line}\n`).join(""), { mode: 0o600 });
    log.#lines = lines;
    log.#count = lines.length;
    return log;
  }

  get seq(): number {
    return this.#count;
  }

  get isEnded(): boolean {
    return this.#ended;
  }

  add(draft: EventDraft): void {
    if (this.#ended) return;
    this.#count += 1;
    const line = JSON.stringify({ seq: this.#count, ts: this.#now().toISOString(), ...draft });
    this.#lines?.push(line);
    this.#unsaved.push(line);
    this.#wake();
  }

  /** Writes to disk what is not there yet; called now and then, and at the end. */
  save(): void {
    if (this.#unsaved.length === 0) return;
    appendFileSync(this.#path, `${this.#unsaved.join("\n")}\n`, { mode: 0o600 });
    this.#unsaved = [];
  }

  /** Nothing comes after this: readers end, and what is asked for later is read from disk. */
  end(): void {
    this.save();
    this.#ended = true;
    this.#lines = null;
    this.#wake();
  }

  /** The lines of the events after `seq`. */
  after(seq: number): string[] {
    return (this.#lines ?? this.#read()).slice(seq);
  }

  /** Settles when there is an event after `seq`, when the run has ended, or when the signal says so. */
  async beyond(seq: number, signal: AbortSignal): Promise<void> {
    if (this.#count > seq || this.#ended || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener("abort", wake);
    });
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }

  /** A last line that a dying host wrote half is none. */
  #read(): string[] {
    if (!existsSync(this.#path)) return [];
    return readFileSync(this.#path, "utf8").split("\n").filter(isEvent);
  }
}

function isEvent(line: string): boolean {
  if (line === "") return false;
  try {
    return AgentRunEventSchema.safeParse(JSON.parse(line)).success;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}
