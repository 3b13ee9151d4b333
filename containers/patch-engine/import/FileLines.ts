import { placesOfRun } from "../core/lineSearch.ts";

/** How lines are compared: as they are, without white space at their ends, or without any around them. */
export type Slack = "none" | "trailing white space" | "indentation";

/** The lines of a file: without endings and byte order mark, and without one after a final newline. */
export function linesOf(content: string): string[] {
  const lines = content.replace(/^\uFEFF/, "").split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines.map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line));
}

interface Index {
  numbers: Map<string, number>;
  /** Each line as a number, and the indices at which each number stands. */
  text: Int32Array;
  places: number[][];
}

/** Up to this many places of a run's rarest line are looked at one by one; with more, the whole file is searched once. */
const FEW = 64;

/** A file to search again and again: what a search needs is made once. */
export class FileLines {
  readonly content: string;
  readonly lines: readonly string[];
  readonly #indexes = new Map<Slack, Index>();

  constructor(content: string) {
    this.content = content;
    this.lines = linesOf(content);
  }

  get length(): number {
    return this.lines.length;
  }

  /** Lines `start`…`start + count - 1`, from 1. */
  slice(start: number, count: number): string[] {
    return this.lines.slice(start - 1, start - 1 + count);
  }

  /** Whether a run of lines stands, as it is, at a line. */
  standsAt(run: readonly string[], start: number): boolean {
    return start >= 1 && run.every((line, i) => this.lines[start - 1 + i] === line);
  }

  /** The first `max` lines at which a run of lines stands. */
  placesOf(run: readonly string[], slack: Slack, max: number): number[] {
    const { numbers, text, places } = this.#index(slack);
    const wanted = Int32Array.from(run, (line) => numbers.get(keyOf(line, slack)) ?? -1);
    let rarest = 0;
    let fewest = Infinity;
    for (const [i, number] of wanted.entries()) {
      const count = number === -1 ? 0 : (places[number]?.length ?? 0);
      if (count < fewest) [rarest, fewest] = [i, count];
    }
    if (fewest > FEW) return placesOfRun(text, wanted, max).map((index) => index + 1);
    const found: number[] = [];
    for (const at of places[wanted[rarest] ?? -1] ?? []) {
      const first = at - rarest;
      if (first >= 0 && wanted.every((number, i) => text[first + i] === number)) found.push(first + 1);
      if (found.length === max) break;
    }
    return found;
  }

  /** The lines, of `first`…`last`, that are a text but for white space around them. */
  linesLike(text: string, first: number, last: number): number[] {
    const { numbers, places } = this.#index("indentation");
    const all = places[numbers.get(text.trim()) ?? -1] ?? [];
    return all.map((index) => index + 1).filter((line) => line >= first && line <= last);
  }

  #index(slack: Slack): Index {
    const known = this.#indexes.get(slack);
    if (known) return known;
    const numbers = new Map<string, number>();
    const places: number[][] = [];
    const text = Int32Array.from(this.lines, (line, i) => {
      const key = keyOf(line, slack);
      let number = numbers.get(key);
      if (number === undefined) {
        number = places.length;
        numbers.set(key, number);
        places.push([]);
      }
      places[number]?.push(i);
      return number;
    });
    const index = { numbers, text, places };
    this.#indexes.set(slack, index);
    return index;
  }
}

const keyOf = (line: string, slack: Slack): string =>
  slack === "none" ? line : slack === "indentation" ? line.trim() : line.trimEnd();
