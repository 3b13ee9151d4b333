import type { StreamEvent } from "./event.ts";
import { passes, phasePasses, type StreamFilter } from "./filter.ts";
import type { PatchRow } from "./PatchBook.ts";

/** A line of the list as it is drawn. */
export type Line =
  | { kind: "order"; key: string; orderId: string | null; patches: number; failed: number; at: number; open: boolean }
  | { kind: "patch"; key: string; row: PatchRow }
  | { kind: "phase"; key: string; event: StreamEvent };

interface Group {
  orderId: string | null;
  at: number;
  failed: number;
  patches: number;
  lines: { at: number; seq: number; line: Line }[];
}

/** The lines of the list: orders with the latest activity first, and within each its patches, newest first. */
export function linesOf(
  source: { rows: readonly PatchRow[]; phases: readonly StreamEvent[] },
  filter: StreamFilter,
  closed: ReadonlySet<string>,
): { lines: Line[]; patches: number } {
  const groups = new Map<string, Group>();
  const groupOf = (orderId: string | null): Group => {
    const key = orderId ?? "";
    const known = groups.get(key);
    if (known) return known;
    const made: Group = { orderId, at: 0, failed: 0, patches: 0, lines: [] };
    groups.set(key, made);
    return made;
  };

  let patches = 0;
  for (const row of source.rows) {
    if (!passes(row, filter)) continue;
    const group = groupOf(row.orderId);
    patches += 1;
    group.patches += 1;
    if (row.status === "patch_failed") group.failed += 1;
    group.at = Math.max(group.at, row.at);
    group.lines.push({ at: row.at, seq: row.lastSeq, line: { kind: "patch", key: row.key, row } });
  }
  for (const event of source.phases) {
    if (!phasePasses(event, filter)) continue;
    const group = groupOf(event.orderId);
    group.at = Math.max(group.at, event.at);
    group.lines.push({ at: event.at, seq: event.seq, line: { kind: "phase", key: event.key, event } });
  }

  const lines: Line[] = [];
  for (const group of [...groups.values()].toSorted((a, b) => b.at - a.at)) {
    const key = group.orderId ?? "";
    const open = !closed.has(key);
    lines.push({
      kind: "order",
      key: `order:${key}`,
      orderId: group.orderId,
      patches: group.patches,
      failed: group.failed,
      at: group.at,
      open,
    });
    if (!open) continue;
    for (const { line } of group.lines.toSorted((a, b) => b.at - a.at || b.seq - a.seq)) lines.push(line);
  }
  return { lines, patches };
}
