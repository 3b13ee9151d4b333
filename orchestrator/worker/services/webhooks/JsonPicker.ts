/** The members of objects that are wanted, by their names; `true` is a text, a number, a truth value or null. */
export interface Wanted {
  readonly [name: string]: true | Wanted;
}

/** Bytes of a name or a text that is kept; a longer one counts as absent. */
const MAX_KEPT = 4_096;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

type Picked = Map<string, unknown>;
type State = "start" | "name" | "colon" | "value" | "next" | "text" | "literal" | "skip" | "end" | "broken";

/**
 * Takes a few members out of the JSON of an object as its bytes arrive, and forgets all else: what it holds is bounded,
 * however long the document is. Of a member that stands twice the last counts, as it does for `JSON.parse`. What is
 * passed over is looked at for its end alone: this is for documents whose sender has vouched for them.
 */
export class JsonPicker {
  readonly #stack: { wanted: Wanted; into: Picked }[] = [];
  readonly #root: Picked = new Map();
  readonly #wanted: Wanted;
  #state: State = "start";
  #name: string | null = null;
  /** Of the text or literal that is being read: what it is for, and its bytes as far as they are kept. */
  #purpose: "name" | "value" | "skip" = "skip";
  #kept: number[] = [];
  #isTooLong = false;
  #isEscaped = false;
  /** Brackets that are open in what is passed over, and whether a text in it is. */
  #depth = 0;
  #inText = false;

  constructor(wanted: Wanted) {
    this.#wanted = wanted;
  }

  push(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (this.#state === "broken") return;
      this.#take(byte);
    }
  }

  /** What was wanted and was there; null where the bytes were not the JSON of one object. */
  end(): Record<string, unknown> | null {
    return this.#state === "end" ? plain(this.#root) : null;
  }

  #take(byte: number): void {
    if (this.#state === "skip") this.#passOver(byte);
    else if (this.#state === "text") this.#readText(byte);
    else if (this.#state === "literal") this.#readLiteral(byte);
    else if (!isSpace(byte)) this.#structure(byte);
  }

  #readLiteral(byte: number): void {
    const isEnd = byte === COMMA || byte === CLOSE_OBJECT || isSpace(byte);
    if (!isEnd) return this.#keep(byte);
    this.#endLiteral();
    if (!isSpace(byte)) this.#take(byte);
  }

  /** A byte between names and values. */
  #structure(byte: number): void {
    const state = this.#state;
    if (state === "value") this.#beginValue(byte);
    else if (state === "start" && byte === OPEN_OBJECT) this.#open({ wanted: this.#wanted, into: this.#root });
    else if (state === "name" && byte === QUOTE) this.#beginText("name");
    else if (state === "colon" && byte === COLON) this.#state = "value";
    else if (state === "next" && byte === COMMA) this.#state = "name";
    else if ((state === "next" || state === "name") && byte === CLOSE_OBJECT) this.#close();
    else this.#state = "broken";
  }

  #beginValue(byte: number): void {
    const wanted = this.#wantedHere();
    if (byte === QUOTE) return this.#beginText(wanted === true ? "value" : "skip");
    if (byte === OPEN_OBJECT && typeof wanted === "object") {
      const into: Picked = new Map();
      this.#set(into);
      return this.#open({ wanted, into });
    }
    if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      this.#depth = 1;
      this.#inText = false;
      this.#state = "skip";
      return;
    }
    this.#kept = [];
    this.#isTooLong = false;
    this.#purpose = wanted === undefined ? "skip" : "value";
    this.#state = "literal";
    this.#keep(byte);
  }

  #open(frame: { wanted: Wanted; into: Picked }): void {
    this.#stack.push(frame);
    this.#state = "name";
  }

  #close(): void {
    this.#stack.pop();
    this.#state = this.#stack.length === 0 ? "end" : "next";
  }

  #wantedHere(): true | Wanted | undefined {
    const { wanted } = this.#stack.at(-1) ?? {};
    return this.#name !== null && wanted !== undefined && Object.hasOwn(wanted, this.#name)
      ? wanted[this.#name]
      : undefined;
  }

  #set(value: unknown): void {
    if (this.#name !== null) this.#stack.at(-1)?.into.set(this.#name, value);
  }

  #beginText(purpose: "name" | "value" | "skip"): void {
    this.#purpose = purpose;
    this.#kept = [];
    this.#isTooLong = false;
    this.#isEscaped = false;
    this.#state = "text";
  }

  #keep(byte: number): void {
    if (this.#purpose === "skip" || this.#isTooLong) return;
    if (this.#kept.length >= MAX_KEPT) this.#isTooLong = true;
    else this.#kept.push(byte);
  }

  #readText(byte: number): void {
    if (byte !== QUOTE || this.#isEscaped) {
      this.#isEscaped = byte === BACKSLASH && !this.#isEscaped;
      this.#keep(byte);
      return;
    }
    const read = this.#isTooLong || this.#purpose === "skip" ? { value: null } : this.#parse(`"${this.#text()}"`);
    if (read === null) {
      this.#state = "broken";
    } else if (this.#purpose === "name") {
      this.#name = typeof read.value === "string" ? read.value : null;
      this.#state = "colon";
    } else {
      if (this.#purpose === "value") this.#set(this.#isTooLong ? undefined : read.value);
      this.#state = "next";
    }
  }

  #endLiteral(): void {
    const read = this.#purpose === "skip" ? { value: null } : this.#isTooLong ? null : this.#parse(this.#text());
    if (read === null) {
      this.#state = "broken";
      return;
    }
    if (this.#purpose === "value") this.#set(read.value);
    this.#state = "next";
  }

  #text(): string {
    return new TextDecoder().decode(Uint8Array.from(this.#kept));
  }

  #parse(text: string): { value: unknown } | null {
    try {
      return { value: JSON.parse(text) };
    } catch {
      // The whole is refused for it.
      return null;
    }
  }

  #passOver(byte: number): void {
    if (this.#inText) {
      if (byte === QUOTE && !this.#isEscaped) this.#inText = false;
      this.#isEscaped = byte === BACKSLASH && !this.#isEscaped;
      return;
    }
    if (byte === QUOTE) {
      this.#inText = true;
      this.#isEscaped = false;
    } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) this.#depth += 1;
    else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
      this.#depth -= 1;
      if (this.#depth === 0) this.#state = "next";
    }
  }
}

/** Absent is what was too long to be kept. */
const plain = (picked: Picked): Record<string, unknown> =>
  Object.fromEntries(
    [...picked]
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, value instanceof Map ? plain(value) : value]),
  );
