import type { StreamEvent } from "./event.ts";

/** A patch with all that is known of its life, oldest event first. A new object for each change, so that rows can be memoised. */
export interface PatchRow {
  key: string;
  workspace: string;
  patchId: string;
  orderId: string | null;
  taskId: string | null;
  file: string;
  op: string;
  actor: string;
  /** Whom the statistics count the patch for: whoever asked for it first. */
  factory: string;
  requester: string | null;
  provider: string | null;
  batchId: string | null;
  /** The last event's type. */
  status: string;
  errorCode: string | null;
  linesAdded: number | null;
  linesRemoved: number | null;
  /** When its last event happened, and its first. */
  at: number;
  firstAt: number;
  lastSeq: number;
  events: readonly StreamEvent[];
}

const patchKey = (event: StreamEvent): string => `${event.workspace}\u0000${event.patchId}`;

/**
 * Events of both sources, each once, as the patches they belong to. It holds what it was given until it grows over its
 * bound; then the patches that have been quiet longest go, and `floor` says from when on it is whole.
 */
export class PatchBook {
  readonly #capacity: number;
  readonly #rows = new Map<string, PatchRow>();
  readonly #phases = new Map<string, StreamEvent>();
  readonly #seen = new Set<string>();
  #floor = 0;

  constructor(capacity = Number.POSITIVE_INFINITY) {
    this.#capacity = capacity;
  }

  /** Nothing at or before this time is here any more. 0: nothing was dropped. */
  get floor(): number {
    return this.#floor;
  }

  get events(): number {
    return this.#seen.size;
  }

  has(key: string): boolean {
    return this.#seen.has(key);
  }

  rows(): IterableIterator<PatchRow> {
    return this.#rows.values();
  }

  phases(): IterableIterator<StreamEvent> {
    return this.#phases.values();
  }

  row(key: string): PatchRow | undefined {
    return this.#rows.get(key);
  }

  /** Takes in an event; false where it is known, or older than what is kept. */
  add(event: StreamEvent): boolean {
    if (this.#seen.has(event.key) || event.at <= this.#floor) return false;
    this.#seen.add(event.key);
    if (event.kind === "phase" || event.patchId === null) this.#phases.set(event.key, event);
    else this.#place(event, event.patchId);
    if (this.#rows.size > this.#capacity * 1.25) this.#trim();
    return true;
  }

  #place(event: StreamEvent, patchId: string): void {
    const key = patchKey(event);
    const known = this.#rows.get(key);
    this.#rows.set(key, rowOf(key, patchId, known ? insert(known.events, event) : [event], event));
  }

  #trim(): void {
    const byAge = [...this.#rows.values()].toSorted((a, b) => a.at - b.at);
    const gone = byAge.slice(0, byAge.length - this.#capacity);
    for (const row of gone) {
      this.#rows.delete(row.key);
      for (const event of row.events) this.#seen.delete(event.key);
      this.#floor = Math.max(this.#floor, row.at);
    }
    for (const [key, phase] of this.#phases) {
      if (phase.at > this.#floor) continue;
      this.#phases.delete(key);
      this.#seen.delete(key);
    }
  }
}

/** A patch from its events, oldest first; the revert of a patch names its requester again, so the first one's counts. */
function rowOf(key: string, patchId: string, events: readonly StreamEvent[], some: StreamEvent): PatchRow {
  const last = events.at(-1) ?? some;
  const first = events[0] ?? some;
  const counted = events.findLast((each) => each.linesAdded !== null);
  return {
    key,
    workspace: last.workspace,
    patchId,
    orderId: last.orderId ?? first.orderId,
    taskId: last.taskId ?? first.taskId,
    file: last.file || first.file,
    op: last.op || first.op,
    actor: first.actor,
    factory: first.requester || first.actor,
    requester: first.requester ?? last.requester,
    provider: last.provider ?? first.provider,
    batchId: first.batchId ?? last.batchId,
    status: last.type,
    errorCode: last.errorCode,
    linesAdded: counted?.linesAdded ?? null,
    linesRemoved: counted?.linesRemoved ?? null,
    at: last.at,
    firstAt: first.at,
    lastSeq: last.seq,
    events,
  };
}

/** One patch of which each source knows a part of the life. */
function joined(a: PatchRow, b: PatchRow): PatchRow {
  if (b.events.every((event) => a.events.some(({ seq }) => seq === event.seq))) return a;
  const bySeq = new Map([...b.events, ...a.events].map((event) => [event.seq, event]));
  const events = [...bySeq.values()].toSorted((x, y) => x.seq - y.seq);
  return events[0] ? rowOf(a.key, a.patchId, events, events[0]) : a;
}

/**
 * Live and history as one list: each patch once, with the events of both. Where live has dropped patches that history
 * does not reach, history is left out: a list with a hole in it would say that nothing happened there.
 */
export function mergedBooks(
  live: PatchBook,
  history: PatchBook,
): { rows: PatchRow[]; phases: StreamEvent[]; whole: boolean } {
  let newest = 0;
  for (const row of history.rows()) newest = Math.max(newest, row.at);
  const whole = live.floor === 0 || newest >= live.floor;
  const rows: PatchRow[] = [];
  for (const row of live.rows()) {
    const known = history.row(row.key);
    rows.push(known ? joined(row, known) : row);
  }
  if (whole) for (const row of history.rows()) if (!live.row(row.key)) rows.push(row);
  return { rows, phases: [...live.phases()], whole };
}

/** An order's phase messages of both sources, each once, oldest first. */
export function mergedPhases(
  live: Iterable<StreamEvent>,
  past: readonly StreamEvent[],
  orderId: string | undefined,
): StreamEvent[] {
  const phases = new Map<string, StreamEvent>();
  for (const source of [past, live])
    for (const event of source) if (event.orderId === orderId) phases.set(event.key, event);
  return [...phases.values()].toSorted((a, b) => a.at - b.at || a.seq - b.seq);
}

/** Events of one patch are few and come nearly in order. */
function insert(events: readonly StreamEvent[], event: StreamEvent): StreamEvent[] {
  const after = events.findLastIndex((each) => each.seq < event.seq);
  return [...events.slice(0, after + 1), event, ...events.slice(after + 1)];
}
