/** How often each of many runs of lines stands in a text, and where first: indices from 0, -1 where it stands nowhere. */
export interface Standings {
  counts: Int32Array;
  firsts: Int32Array;
}

/** Runs of lines one after the other; run `i` ends before `ends[i]`, and begins where the one before ends. */
export interface Runs {
  lines: Int32Array;
  ends: Int32Array;
}

/** The lines of runs that are searched for in one pass: they take 32 bytes each. */
const LINES_AT_ONCE = 1 << 18;

/**
 * Counts where each of many runs of lines stands in a text, overlaps included: in one pass over the text for each
 * quarter of a million lines of runs. Lines are numbers: equal lines have equal ones.
 */
export function countAll(text: Int32Array, { lines, ends }: Runs): Standings {
  const standings = { counts: new Int32Array(ends.length), firsts: new Int32Array(ends.length).fill(-1) };
  const startOf = (run: number) => (run === 0 ? 0 : (ends[run - 1] ?? 0));
  for (let first = 0; first < ends.length;) {
    let last = first + 1;
    while (last < ends.length && (ends[last] ?? 0) - startOf(first) <= LINES_AT_ONCE) last++;
    if (last === first + 1) {
      const run = lines.subarray(startOf(first), ends[first]);
      const [place, second] = placesOfRun(text, run, 2);
      standings.firsts[first] = place ?? -1;
      standings.counts[first] = place === undefined ? 0 : second === undefined ? 1 : 2;
    } else countTogether(text, { lines, ends }, { first, last }, standings);
    first = last;
  }
  return standings;
}

/** Aho and Corasick, Efficient string matching, 1975. */
function countTogether(
  text: Int32Array,
  { lines, ends }: Runs,
  { first, last }: { first: number; last: number },
  { counts, firsts }: Standings,
): void {
  const begin = first === 0 ? 0 : (ends[first - 1] ?? 0);
  const trie = new Trie((ends[last - 1] ?? 0) - begin + 1);
  const nodeOf = new Int32Array(last - first);
  for (let run = first, at = begin; run < last; run++) {
    let node = 0;
    for (; at < (ends[run] ?? 0); at++) node = trie.childOrNew(node, lines[at] ?? -1);
    nodeOf[run - first] = node;
  }
  const { parents, symbols, size } = trie;

  const failures = new Int32Array(size);
  const step = (from: number, line: number): number => {
    for (let node = from; ; node = failures[node] ?? 0) {
      const next = trie.child(node, line);
      if (next !== 0) return next;
      if (node === 0) return 0;
    }
  };
  const order = trie.byDepth();
  for (const node of order) {
    const parent = parents[node] ?? 0;
    if (node !== 0 && parent !== 0) failures[node] = step(failures[parent] ?? 0, symbols[node] ?? -1);
  }

  const count = new Int32Array(size);
  const firstEnd = new Int32Array(size).fill(-1);
  let state = 0;
  for (let i = 0; i < text.length; i++) {
    state = step(state, text[i] ?? -1);
    if (count[state] === 0) firstEnd[state] = i;
    count[state] = (count[state] ?? 0) + 1;
  }
  // What ends at a place, ends there for each of its suffixes as well: from the deepest to the root.
  for (let i = order.length - 1; i > 0; i--) {
    const node = order[i] ?? 0;
    const suffix = failures[node] ?? 0;
    const ended = firstEnd[node] ?? -1;
    if (count[node] === 0) continue;
    const known = firstEnd[suffix] ?? -1;
    if (known === -1 || ended < known) firstEnd[suffix] = ended;
    count[suffix] = (count[suffix] ?? 0) + (count[node] ?? 0);
  }
  for (let run = first, start = begin; run < last; run++) {
    const node = nodeOf[run - first] ?? 0;
    const end = ends[run] ?? 0;
    counts[run] = count[node] ?? 0;
    if (counts[run] !== 0) firsts[run] = (firstEnd[node] ?? 0) - (end - start) + 1;
    start = end;
  }
}

/** Runs by their beginnings. Nodes are numbers, 0 the root, which no node has as child; all of it is a few arrays. */
class Trie {
  readonly parents: Int32Array;
  readonly symbols: Int32Array;
  size = 1;
  /** Children by node and symbol, 0 where a place is free. The hash is a random one, of Dietzfelbinger's kind. */
  readonly #table: Int32Array;
  readonly #shift: number;
  readonly #factors: readonly [number, number];

  constructor(capacity: number) {
    this.parents = new Int32Array(capacity);
    this.symbols = new Int32Array(capacity);
    const bits = Math.max(4, Math.ceil(Math.log2(capacity * 1.5)));
    this.#table = new Int32Array(1 << bits);
    this.#shift = 32 - bits;
    const [a = 0, b = 0] = crypto.getRandomValues(new Uint32Array(2));
    this.#factors = [a | 1, b | 1];
  }

  child(node: number, symbol: number): number {
    return this.#table[this.#find(node, symbol)] ?? 0;
  }

  childOrNew(node: number, symbol: number): number {
    const at = this.#find(node, symbol);
    const known = this.#table[at] ?? 0;
    if (known !== 0) return known;
    const made = this.size++;
    this.#table[at] = made;
    this.parents[made] = node;
    this.symbols[made] = symbol;
    return made;
  }

  /** All nodes, each behind those that are less deep. */
  byDepth(): Int32Array {
    const depths = new Int32Array(this.size);
    let deepest = 0;
    // A parent is always made before its child.
    for (let node = 1; node < this.size; node++) {
      const depth = (depths[this.parents[node] ?? 0] ?? 0) + 1;
      depths[node] = depth;
      if (depth > deepest) deepest = depth;
    }
    const next = new Int32Array(deepest + 2);
    for (const depth of depths) next[depth + 1] = (next[depth + 1] ?? 0) + 1;
    for (let depth = 1; depth < next.length; depth++) next[depth] = (next[depth] ?? 0) + (next[depth - 1] ?? 0);
    const order = new Int32Array(this.size);
    for (let node = 0; node < this.size; node++) {
      const depth = depths[node] ?? 0;
      const at = next[depth] ?? 0;
      next[depth] = at + 1;
      order[at] = node;
    }
    return order;
  }

  #find(node: number, symbol: number): number {
    const [a, b] = this.#factors;
    const mask = this.#table.length - 1;
    let at = (Math.imul(node + 1, a) + Math.imul(symbol, b)) >>> this.#shift;
    for (let child = this.#table[at] ?? 0; child !== 0; child = this.#table[at] ?? 0) {
      if (this.parents[child] === node && this.symbols[child] === symbol) break;
      at = (at + 1) & mask;
    }
    return at;
  }
}

/** The first `max` places where a run of lines stands, as indices from 0, overlaps included (Knuth, Morris and Pratt). */
export function placesOfRun(text: Int32Array, run: Int32Array, max: number): number[] {
  const border = new Int32Array(run.length);
  for (let i = 1, k = 0; i < run.length; i++) {
    while (k > 0 && run[i] !== run[k]) k = border[k - 1] ?? 0;
    if (run[i] === run[k]) k++;
    border[i] = k;
  }
  const places: number[] = [];
  for (let i = 0, k = 0; i < text.length && places.length < max; i++) {
    while (k > 0 && (k === run.length || text[i] !== run[k])) k = border[k - 1] ?? 0;
    if (text[i] === run[k]) k++;
    if (k === run.length) places.push(i - k + 1);
  }
  return places;
}
