/** How often a run of lines stands in a text, and where first: an index from 0, -1 where it stands nowhere. */
export interface Standing {
  count: number;
  first: number;
}

interface Node {
  depth: number;
  failure: number;
  count: number;
  first: number;
}

/**
 * Counts where each of many runs of lines stands, overlaps included, in one pass over the text, whatever their number
 * (Aho and Corasick, Efficient string matching, 1975). Lines are numbers: equal lines have equal ones.
 */
export function countAll(text: Int32Array, runs: readonly Int32Array[]): Standing[] {
  const nodes: Node[] = [{ depth: 0, failure: 0, count: 0, first: -1 }];
  const edges = new Map<number, Map<number, number>>();
  const child = (node: number, line: number): number => edges.get(node)?.get(line) ?? -1;
  const ends = runs.map((run) => {
    let node = 0;
    for (const line of run) {
      let next = child(node, line);
      if (next === -1) {
        next = nodes.length;
        nodes.push({ depth: (nodes[node]?.depth ?? 0) + 1, failure: 0, count: 0, first: -1 });
        const own = edges.get(node);
        if (own) own.set(line, next);
        else edges.set(node, new Map([[line, next]]));
      }
      node = next;
    }
    return node;
  });

  const step = (from: number, line: number): number => {
    let node = from;
    for (;;) {
      const next = child(node, line);
      if (next !== -1) return next;
      if (node === 0) return 0;
      node = nodes[node]?.failure ?? 0;
    }
  };
  const order = [0];
  for (const node of order) {
    for (const [line, next] of edges.get(node) ?? []) {
      const target = nodes[next];
      if (target && node !== 0) target.failure = step(nodes[node]?.failure ?? 0, line);
      order.push(next);
    }
  }

  let state = 0;
  for (let i = 0; i < text.length; i++) {
    state = step(state, text[i] ?? -1);
    const node = nodes[state];
    if (!node) continue;
    node.count++;
    if (node.first === -1) node.first = i;
  }
  // What ends at a place, ends there for each of its suffixes as well: from the deepest to the root.
  for (let i = order.length - 1; i > 0; i--) {
    const node = nodes[order[i] ?? 0];
    const suffix = node && nodes[node.failure];
    if (!node || !suffix || node.count === 0) continue;
    suffix.count += node.count;
    if (suffix.first === -1 || node.first < suffix.first) suffix.first = node.first;
  }
  return ends.map((end, i) => {
    const { count, first } = nodes[end] ?? { count: 0, first: -1 };
    return { count, first: count === 0 ? -1 : first - (runs[i]?.length ?? 0) + 1 };
  });
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
