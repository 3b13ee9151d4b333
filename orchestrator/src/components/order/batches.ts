import type { StreamEvent } from "../../stream/event.ts";
import type { PatchRow } from "../../stream/PatchBook.ts";

/** A step of an order: a batch with its patches, or a message about a phase. */
export type Step =
  | {
      kind: "batch";
      key: string;
      at: number;
      batchId: string | null;
      phase: string | null;
      reason: string | null;
      requester: string | null;
      rows: PatchRow[];
    }
  | { kind: "phase"; key: string; at: number; event: StreamEvent };

/** An order's life, newest first. */
export function stepsOf(rows: readonly PatchRow[], phases: readonly StreamEvent[]): Step[] {
  const batches = Map.groupBy(rows, (row) => row.batchId ?? row.key);
  const steps: Step[] = [...batches].map(([key, patches]) => {
    const first = patches[0]?.events[0];
    return {
      kind: "batch" as const,
      key,
      at: Math.min(...patches.map(({ firstAt }) => firstAt)),
      batchId: patches[0]?.batchId ?? null,
      phase: first?.phase ?? null,
      reason: first?.reason ?? null,
      requester: first?.requester ?? first?.actor ?? null,
      rows: patches.toSorted((a, b) => (a.events[0]?.seq ?? 0) - (b.events[0]?.seq ?? 0)),
    };
  });
  for (const event of phases) steps.push({ kind: "phase", key: event.key, at: event.at, event });
  return steps.toSorted((a, b) => b.at - a.at);
}

export interface ChangedFile {
  file: string;
  patches: number;
  added: number;
  removed: number;
  at: number;
}

const STANDS = new Set(["patch_applied", "patch_validated"]);

/** The files in which an order's patches stand. */
export function filesOf(rows: readonly PatchRow[]): ChangedFile[] {
  const files = new Map<string, ChangedFile>();
  for (const row of rows) {
    if (!STANDS.has(row.status)) continue;
    const known = files.get(row.file) ?? { file: row.file, patches: 0, added: 0, removed: 0, at: 0 };
    files.set(row.file, {
      file: row.file,
      patches: known.patches + 1,
      added: known.added + (row.linesAdded ?? 0),
      removed: known.removed + (row.linesRemoved ?? 0),
      at: Math.max(known.at, row.at),
    });
  }
  return [...files.values()].toSorted((a, b) => (a.file < b.file ? -1 : 1));
}
