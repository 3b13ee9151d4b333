import fc from "fast-check";
import { expect, test } from "vitest";
import type { StreamEvent } from "../stream/event.ts";
import { passes, type StreamFilter } from "../stream/filter.ts";
import { linesOf } from "../stream/lines.ts";
import { mergedBooks, mergedPhases, PatchBook } from "../stream/PatchBook.ts";

const LIFE = ["patch_requested", "patch_applied", "patch_validated", "patch_reverted"];

/** The nth event of a workspace: patches come one after another, each with up to four events. */
function eventAt(workspace: string, seq: number, patch: number, step: number): StreamEvent {
  return {
    key: `${workspace}\u0000${seq}`,
    workspace,
    seq,
    type: LIFE[step] ?? "patch_applied",
    kind: "patch",
    at: seq * 10,
    patchId: `${workspace}-${patch}`,
    batchId: "batch",
    orderId: `order of ${workspace}`,
    projectId: null,
    taskId: null,
    file: `src/${patch}.ts`,
    op: "append",
    actor: "factory:agent-factory",
    requester: "agent-factory",
    reason: null,
    phase: null,
    provider: null,
    model: null,
    errorCode: null,
    message: null,
    linesAdded: null,
    linesRemoved: null,
  };
}

const chains = fc
  .array(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 3 })
  .map((workspaces) =>
    workspaces.flatMap((patches, index) => {
      let seq = 0;
      return patches.flatMap((steps, patch) =>
        Array.from({ length: steps }, (_, step) => eventAt(`ws-${index}`, (seq += 1), patch, step)),
      );
    }),
  );

const bookOf = (events: readonly StreamEvent[], capacity?: number): PatchBook => {
  const book = new PatchBook(capacity);
  for (const event of events) book.add(event);
  return book;
};

/** A patch's life as one text. */
const livesOf = (rows: readonly { key: string; status: string; events: readonly StreamEvent[] }[]): string[] =>
  rows.map((row) => `${row.key} ${row.status} ${row.events.map(({ seq }) => seq).join(",")}`).toSorted();

test("however history and stream overlap, and in whatever order they come, each event is there once and each patch has its last word", () => {
  fc.assert(
    fc.property(chains, fc.infiniteStream(fc.integer({ min: 0, max: 3 })), fc.integer(), (events, sides, seed) => {
      const [live, history]: [StreamEvent[], StreamEvent[]] = [[], []];
      for (const event of events) {
        const side = sides.next().value ?? 0;
        if (side !== 1) live.push(event);
        if (side !== 0) history.push(event);
      }
      const shuffled = live.toSorted((a, b) => ((a.seq * 7919 + seed) % 13) - ((b.seq * 7919 + seed) % 13));
      const merged = mergedBooks(bookOf([...shuffled, ...shuffled]), bookOf(history.toReversed()));
      expect(livesOf(merged.rows)).toEqual(livesOf([...bookOf(events).rows()]));
      expect(merged.whole).toBe(true);
    }),
  );
});

test("a book over its bound drops the patches that were quiet longest, and says from when on it is whole", () => {
  const events = Array.from({ length: 400 }, (_, index) => eventAt("ws", index + 1, index, 0));
  const book = bookOf(events, 100);
  const kept = [...book.rows()].map(({ at }) => at);
  expect(kept.length).toBeLessThanOrEqual(125);
  expect(Math.min(...kept)).toBeGreaterThan(book.floor);
  expect(book.add(events[0]!)).toBe(false);
  expect(book.events).toBe(kept.length);
});

test("history that ends before what the stream still holds is not shown: between them is a hole", () => {
  const events = Array.from({ length: 400 }, (_, index) => eventAt("ws", index + 1, index, 0));
  const live = bookOf(events, 100);
  const old = mergedBooks(live, bookOf(events.slice(0, 50)));
  expect(old.whole).toBe(false);
  expect(old.rows).toHaveLength([...live.rows()].length);
  const joined = mergedBooks(live, bookOf(events.slice(50)));
  expect(joined.whole).toBe(true);
  expect(joined.rows).toHaveLength(350);
});

test("lines are grouped by order, the latest first, and a closed order shows its head alone", () => {
  const events = [eventAt("ws-a", 1, 0, 0), eventAt("ws-b", 2, 0, 0), eventAt("ws-a", 3, 1, 0)];
  const merged = mergedBooks(bookOf(events), new PatchBook());
  const { lines, patches } = linesOf(merged, {}, new Set(["order of ws-b"]));
  expect(patches).toBe(3);
  expect(lines.map((line) => (line.kind === "patch" ? line.row.patchId : line.key))).toEqual([
    "order:order of ws-a",
    "ws-a-1",
    "ws-a-0",
    "order:order of ws-b",
  ]);
});

test("each filter narrows by what it names, and all of them together", () => {
  const [row] = bookOf([eventAt("ws", 1, 7, 0)]).rows();
  const holds = (filter: StreamFilter) => passes(row!, filter);
  expect(holds({ factory: "agent-factory", op: "append", file: "SRC/7", q: "ws-7", order: "order of ws" })).toBe(true);
  for (const filter of [
    { factory: "ui-factory" },
    { op: "prepend" },
    { file: "8.ts" },
    { q: "nowhere" },
    { order: "ORD" },
    { status: "patch_failed" },
    { requester: "me" },
  ])
    expect(holds(filter)).toBe(false);
});

test("phase messages of the past and of the stream are one list: each once, the order's alone, in their order", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 20 }), (sides) => {
      const events = sides.map((_, index): StreamEvent => ({
        ...eventAt("ws", index + 1, 0, 0),
        kind: "phase",
        type: "phase_generated",
        patchId: null,
        at: Math.floor(index / 2),
        orderId: index % 5 === 4 ? "another" : "ours",
      }));
      const live = events.filter((_, index) => sides[index] !== 1);
      // The past comes newest first.
      const past = events.filter((_, index) => sides[index] !== 0).toReversed();
      expect(mergedPhases(live, past, "ours")).toEqual(events.filter(({ orderId }) => orderId === "ours"));
    }),
  );
});

test("a patch stays its factory's, whoever reverts it", () => {
  const applied = { ...eventAt("ws", 1, 0, 1), requester: "ui-factory" };
  const reverted = { ...eventAt("ws", 2, 0, 3), requester: "carol" };
  const [row] = bookOf([reverted, applied]).rows();
  if (!row) throw new Error("the patch is in the book");
  expect(passes(row, { factory: "ui-factory" })).toBe(true);
  expect(passes(row, { factory: "carol" })).toBe(false);
});
