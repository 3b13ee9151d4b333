import type { AgentParser } from "./adapters/adapter.ts";
import type { Failure } from "./classify.ts";
import type { EventDraft } from "./EventLog.ts";
import type { Redactor } from "./Redactor.ts";

/** A line that is longer is taken in pieces. UTF-16 units. */
const MAX_LINE = 4 * 1024 * 1024;
/** Of one event's text. */
const MAX_TEXT = 65_536;
/** What is kept of stderr to tell why an agent failed. */
const STDERR_TAIL = 65_536;

type StreamName = "stdout" | "stderr";

interface Pipe {
  decoder: InstanceType<typeof TextDecoder>;
  redact: ReturnType<Redactor["stream"]>;
  line: string;
}

/**
 * Turns what an agent writes into events. Bytes are decoded and redacted as they come, however they are cut, and only
 * then split into lines and understood; what the parser puts together is redacted once more as a whole.
 */
export class OutputReader {
  readonly #parser: AgentParser;
  readonly #redactor: Redactor;
  readonly #limit: number;
  readonly #emit: (draft: EventDraft) => void;
  readonly #pipes: Record<StreamName, Pipe>;
  readonly #hopeless = Promise.withResolvers<Failure>();
  #bytes = 0;
  #stderr = "";

  constructor(parser: AgentParser, redactor: Redactor, limit: number, emit: (draft: EventDraft) => void) {
    this.#parser = parser;
    this.#redactor = redactor;
    this.#limit = limit;
    this.#emit = emit;
    const pipe = (): Pipe => ({ decoder: new TextDecoder(), redact: redactor.stream(), line: "" });
    this.#pipes = { stdout: pipe(), stderr: pipe() };
  }

  /** What came on both streams together. */
  get bytes(): number {
    return this.#bytes;
  }

  get isOver(): boolean {
    return this.#bytes > this.#limit;
  }

  /** Settles when the agent goes on although its service will not have it. */
  get hopeless(): Promise<Failure> {
    return this.#hopeless.promise;
  }

  /** The last of stderr, redacted. */
  get stderr(): string {
    return this.#stderr;
  }

  push(stream: StreamName, chunk: Buffer): void {
    // What is over the limit is counted and not looked at: the run is at its end.
    const taken = chunk.subarray(0, Math.max(0, this.#limit - this.#bytes));
    this.#bytes += chunk.length;
    const pipe = this.#pipes[stream];
    this.#take(stream, pipe.redact.push(pipe.decoder.decode(taken, { stream: true })));
  }

  end(): void {
    for (const stream of ["stdout", "stderr"] as const) {
      const pipe = this.#pipes[stream];
      this.#take(stream, pipe.redact.push(pipe.decoder.decode()));
      this.#take(stream, pipe.redact.end());
      const rest = pipe.line;
      pipe.line = "";
      if (rest !== "") this.#lines(stream, [rest]);
    }
  }

  #take(stream: StreamName, text: string): void {
    const pipe = this.#pipes[stream];
    const lines = (pipe.line + text).split("\n");
    pipe.line = lines.pop() ?? "";
    if (pipe.line.length > MAX_LINE) lines.push(pipe.line.slice(0, MAX_LINE));
    if (pipe.line.length > MAX_LINE) pipe.line = pipe.line.slice(MAX_LINE);
    this.#lines(stream, lines);
  }

  #lines(stream: StreamName, whole: readonly string[]): void {
    if (whole.length === 0) return;
    const lines = this.#redactor.clean(whole.join("\n")).split("\n");
    // Lines that are nothing but text become one event.
    let plain: string[] = [];
    const flush = () => {
      if (plain.length > 0) this.#text(stream, `${plain.join("\n")}\n`);
      plain = [];
    };
    for (const line of lines) {
      const drafts = stream === "stdout" ? this.#parser.line(line) : null;
      if (drafts === null) {
        plain.push(line);
        continue;
      }
      flush();
      for (const draft of drafts) this.#draft(draft);
    }
    flush();
    const failure = this.#parser.hopeless?.() ?? null;
    if (failure !== null) this.#hopeless.resolve(failure);
  }

  #text(stream: StreamName, text: string): void {
    if (stream === "stderr") this.#stderr = (this.#stderr + text).slice(-STDERR_TAIL);
    for (let at = 0; at < text.length; at += MAX_TEXT) {
      this.#emit({ type: "terminal_output", stream, text: text.slice(at, at + MAX_TEXT) });
    }
  }

  #draft(draft: EventDraft): void {
    if (draft.type === "terminal_output") this.#text(draft.stream, this.#redactor.clean(draft.text));
    else if (draft.type === "conversation_response") this.#emit({ ...draft, text: this.#redactor.clean(draft.text) });
    else if (draft.type === "state") this.#emit(draft);
    else this.#emit({ ...draft, command: this.#redactor.clean(draft.command) });
  }
}
