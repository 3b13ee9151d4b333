import type { LabelledLine } from "./logLine.ts";

export interface Grouping {
  precision: number;
  recall: number;
  groups: number;
}

const pairs = (count: number): number => (count * (count - 1)) / 2;

const counted = (keys: Iterable<string>): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
};

const together = (keys: Iterable<string>): number =>
  [...counted(keys).values()].reduce((sum, count) => sum + pairs(count), 0);

/**
 * Over all pairs of lines. Precision: of those put together, the share that belongs together; recall: of those that
 * belong together, the share put together.
 */
export function judge(lines: readonly LabelledLine[], keyOf: (line: LabelledLine) => string): Grouping {
  const keys = lines.map(keyOf);
  const both = together(keys.map((key, index) => JSON.stringify([key, lines[index]?.cause])));
  const put = together(keys);
  const belong = together(lines.map(({ cause }) => cause));
  return {
    precision: put === 0 ? 1 : both / put,
    recall: belong === 0 ? 1 : both / belong,
    groups: counted(keys).size,
  };
}
