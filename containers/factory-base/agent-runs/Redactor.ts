import { byFormat } from "patch-engine/credentials";
import { secretForms } from "./secretForms.ts";

export const REDACTED = "[redacted]";

/** What may stand between the characters of a secret that was wrapped: white space, as it is or as JSON writes it. */
const GAPS = /\s|\\[nrt]/gu;
/** Of text that may be the beginning of a secret, this much is held back at most, in UTF-16 units. */
const MAX_HELD = 65_536;

interface Squeezed {
  text: string;
  /** Where a unit of `text` stood in the original; of the end, the original's end. */
  at: (index: number) => number;
}

function squeeze(original: string): Squeezed {
  const text = original.replaceAll(GAPS, "");
  let places: number[] | null = null;
  return {
    text,
    // Seldom asked for, and dear.
    at: (index) => (places ??= placesIn(original))[index] ?? original.length,
  };
}

function placesIn(original: string): number[] {
  const places: number[] = [];
  let from = 0;
  const keep = (to: number) => {
    for (; from < to; from++) places.push(from);
  };
  for (const gap of original.matchAll(GAPS)) {
    keep(gap.index);
    from = gap.index + gap[0].length;
  }
  keep(original.length);
  return places;
}

/**
 * Cuts a run's secrets out of what is told of it: by value in every form of `secretForms`, wrapped over lines or not,
 * and whatever has the form of a known credential. `seen` says whether a value was found: a credential by its form may
 * be anyone's, a value is this run's own.
 */
export class Redactor {
  readonly #forms: readonly string[];
  #seen = false;

  constructor(secrets: readonly string[]) {
    this.#forms = [...new Set(secrets.flatMap(secretForms))].toSorted((a, b) => b.length - a.length);
  }

  get seen(): boolean {
    return this.#seen;
  }

  /** Whether a text holds a secret; nothing is noted. */
  holds(text: string): boolean {
    const squeezed = squeeze(text).text;
    return this.#forms.some((form) => squeezed.includes(form));
  }

  /** A whole text without its secrets. */
  clean(text: string): string {
    return withoutFormats(this.#withoutValues(text, squeeze(text)));
  }

  /**
   * Cuts this run's own secrets out of a text that comes in pieces. What may be the beginning of one waits for the next
   * piece. What has the form of a credential is left to `clean`, as a piece may end within it.
   */
  stream(): { push(piece: string): string; end(): string } {
    let held = "";
    return {
      push: (piece) => {
        const text = held + piece;
        // A backslash at the end may be half of a line break as JSON writes it.
        const squeezed = squeeze(text.endsWith("\\") ? text.slice(0, -1) : text);
        const from = text.length > MAX_HELD + piece.length ? text.length : this.#beginningOfSecret(squeezed);
        held = text.slice(from);
        const ready = text.slice(0, from);
        return this.#withoutValues(ready, squeeze(ready));
      },
      end: () => {
        const rest = held;
        held = "";
        return this.#withoutValues(rest, squeeze(rest));
      },
    };
  }

  /** Where the longest end of the text begins that a secret could begin with; the text's length if none. */
  #beginningOfSecret({ text, at }: Squeezed): number {
    let longest = 0;
    for (const form of this.#forms) {
      for (let length = Math.min(form.length - 1, text.length); length > longest; length--) {
        if (text.endsWith(form.slice(0, length))) longest = length;
      }
    }
    return at(text.length - longest);
  }

  #withoutValues(original: string, { text, at }: Squeezed): string {
    const spans: [from: number, to: number][] = [];
    for (const form of this.#forms) {
      for (let found = text.indexOf(form); found >= 0; found = text.indexOf(form, found + form.length)) {
        spans.push([at(found), at(found + form.length - 1) + 1]);
      }
    }
    if (spans.length === 0) return original;
    this.#seen = true;
    return cut(original, spans);
  }
}

function withoutFormats(text: string): string {
  const found = byFormat(text);
  if (found.length === 0) return text;
  return cut(
    text,
    found.map(({ start, value }) => [start, start + value.length]),
  );
}

/** The text with each stretch of what the spans cover told as one word. */
function cut(text: string, spans: [from: number, to: number][]): string {
  const pieces: string[] = [];
  let end = 0;
  for (const [from, to] of spans.toSorted((a, b) => a[0] - b[0])) {
    if (from >= end) pieces.push(text.slice(end, from), REDACTED);
    end = Math.max(end, to);
  }
  pieces.push(text.slice(end));
  return pieces.join("");
}
