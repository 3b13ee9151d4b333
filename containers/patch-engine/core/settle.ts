import { Buffer } from "node:buffer";
import type { Edit } from "./edit.ts";
import { eolNear, type Placed } from "./resolve.ts";
import type { Eol, TextFile } from "./textFile.ts";

/** A block that wants open space around it: where its lines stand in the text after, without their last ending. */
export interface OpenRegion {
  owner: number;
  start: number;
  end: number;
  eol: Eol;
}

/** Two patches that cannot both be; `later` comes later in the batch. */
export interface Clash {
  later: number;
  earlier: number;
  line: number;
}

export type Settled = { ok: true; edits: Edit[]; regions: OpenRegion[] } | { ok: false; clashes: Clash[] };

/** A placed operation with the bytes it occupies; an insertion occupies none. */
interface Claim {
  placed: Placed;
  start: number;
  end: number;
}

/**
 * Makes edits of operations that all speak of one text. Insertions at one place keep their order. Ranges that overlap
 * and insertions strictly inside a range clash; what only touches does not. Whether a newline ends the file stays as it
 * is: in a file without one, the ending moves before what comes last.
 */
export function settle(text: TextFile, placed: readonly Placed[]): Settled {
  const claims: Claim[] = [];
  for (const one of placed) {
    if (one.kind === "insert" && one.block.isEmpty) continue;
    claims.push(claimOf(text, one));
  }
  // Insertions come before a range that begins at their place. The sort is stable: equal places keep the batch's order.
  if (!isOrdered(claims)) claims.sort(byPlace);

  const clashes = clashesOf(text, claims);
  if (clashes.length > 0) return { ok: false, clashes };

  const edits: Edit[] = [];
  const regions: OpenRegion[] = [];
  const shape = shapeOf(text, claims);
  let delta = 0;
  for (const [i, claim] of claims.entries()) {
    const { start, end, text: bytes, lead, trail, eol } = shape(claim, i);
    const one = claim.placed;
    edits.push({ start, end, text: bytes, owners: [one.owner] });
    if ((one.kind === "insert" || one.kind === "replace") && one.openSpace) {
      const at = start + delta;
      regions.push({ owner: one.owner, start: at + lead, end: at + bytes.length - trail, eol });
    }
    delta += bytes.length - (end - start);
  }
  return { ok: true, edits, regions };
}

function claimOf(text: TextFile, placed: Placed): Claim {
  if (placed.kind === "bytes") return { placed, start: placed.start, end: placed.end };
  if (placed.kind !== "insert") return { placed, start: text.startOf(placed.first), end: text.endOf(placed.last) };
  const start = text.startOf(placed.gap);
  return { placed, start, end: start };
}

function byPlace(a: Claim, b: Claim): number {
  return a.start - b.start || Number(a.end > a.start) - Number(b.end > b.start);
}

function isOrdered(claims: readonly Claim[]): boolean {
  let before: Claim | undefined;
  for (const claim of claims) {
    if (before && byPlace(before, claim) > 0) return false;
    before = claim;
  }
  return true;
}

function clashesOf(text: TextFile, claims: readonly Claim[]): Clash[] {
  const clashes: Clash[] = [];
  let furthest: Claim | null = null;
  for (const claim of claims) {
    if (furthest && claim.start < furthest.end) {
      const [a, b] = [furthest.placed.owner, claim.placed.owner];
      clashes.push({ later: Math.max(a, b), earlier: Math.min(a, b), line: text.lineAt(claim.start) });
    }
    if (!furthest || claim.end > furthest.end) furthest = claim;
  }
  // How the file ends is one patch's to say.
  const ending = claims.find(({ placed }) => placed.kind === "bytes" && placed.changesEnd === true);
  const other =
    ending && claims.find(({ placed, end }) => end === text.bytes.length && placed.owner !== ending.placed.owner);
  if (ending && other) {
    const [a, b] = [ending.placed.owner, other.placed.owner];
    clashes.push({ later: Math.max(a, b), earlier: Math.min(a, b), line: text.lineAt(ending.start) });
  }
  return clashes;
}

interface Shaped {
  start: number;
  end: number;
  text: Buffer;
  /** Bytes of `text` before and after the block's lines: the ending that goes before the first or after the last. */
  lead: number;
  trail: number;
  eol: Eol;
}

/** How each claim becomes an edit of this text. */
function shapeOf(text: TextFile, claims: readonly Claim[]): (claim: Claim, index: number) => Shaped {
  if (text.lineCount === 0) return intoEmpty(claims);
  if (!text.terminated) return atOpenEnd(text, claims);
  return (claim) => plain(text, claim);
}

/** In the middle of a text: an inserted block brings its last ending, a replacing one keeps that of the last line. */
function plain(text: TextFile, { placed, start, end }: Claim): Shaped {
  switch (placed.kind) {
    case "bytes":
      return { start, end, text: placed.text, lead: 0, trail: 0, eol: "\n" };
    case "delete":
      return { start, end, text: NOTHING, lead: 0, trail: 0, eol: "\n" };
    case "insert": {
      const eol = eolNear(text, placed.gap, placed.gap - 1);
      return { start, end, text: Buffer.from(placed.block.joined(eol) + eol), lead: 0, trail: eol.length, eol };
    }
    case "replace": {
      const eol = eolNear(text, placed.first, placed.last);
      const kept = text.contentEnd(placed.last);
      return { start, end: kept, text: Buffer.from(placed.block.joined(eol)), lead: 0, trail: 0, eol };
    }
  }
}

/** An empty file takes the first block as it is; what comes after follows that one's endings. */
function intoEmpty(claims: readonly Claim[]): (claim: Claim, index: number) => Shaped {
  const head = claims[0]?.placed;
  const first = head?.kind === "insert" ? head.block : null;
  const eol = first?.eol ?? "\n";
  return ({ placed, start, end }, index) => {
    if (placed.kind === "bytes") return { start, end, text: placed.text, lead: 0, trail: 0, eol };
    if (placed.kind !== "insert" || first === null) return { start, end, text: NOTHING, lead: 0, trail: 0, eol };
    if (index === 0) {
      return { start, end, text: first.verbatim(), lead: 0, trail: first.lastEnding, eol };
    }
    return first.lastEnding > 0
      ? { start, end, text: Buffer.from(placed.block.joined(eol) + eol), lead: 0, trail: eol.length, eol }
      : { start, end, text: Buffer.from(eol + placed.block.joined(eol)), lead: eol.length, trail: 0, eol };
  };
}

/** In a text that no newline ends, and none shall end afterwards. */
function atOpenEnd(text: TextFile, claims: readonly Claim[]): (claim: Claim, index: number) => Shaped {
  // The lines deleted at the end, `tail`…N, and whether anything is inserted where they were.
  let tail = text.lineCount + 1;
  let lastInsert = -1;
  let firstOfTail = claims.length;
  for (let i = claims.length - 1; i >= 0; i--) {
    const placed = claims[i]?.placed;
    if (placed?.kind === "delete" && placed.last === tail - 1) tail = placed.first;
    else if (placed?.kind === "insert" && placed.gap >= tail) lastInsert = Math.max(lastInsert, i);
    else break;
    firstOfTail = i;
  }
  const isDeleted = tail <= text.lineCount;
  // The ending before the deleted lines goes with them, unless a byte edit holds it.
  const before = claims[firstOfTail - 1];
  const takesEnding =
    isDeleted &&
    lastInsert === -1 &&
    tail > 1 &&
    (before?.placed.kind !== "bytes" || before.end <= text.contentEnd(tail - 1));

  return (claim, index) => {
    const shaped = plain(text, claim);
    const { placed } = claim;
    if (index < firstOfTail) return shaped;
    if (placed.kind === "delete" && takesEnding) {
      return { ...shaped, start: text.contentEnd(placed.first - 1), end: text.contentEnd(placed.last) };
    }
    if (placed.kind !== "insert") return shaped;
    const { eol } = shaped;
    if (!isDeleted) {
      const led = Buffer.from(eol + placed.block.joined(eol));
      return { ...shaped, text: led, lead: eol.length, trail: 0 };
    }
    return index === lastInsert ? { ...shaped, text: Buffer.from(placed.block.joined(eol)), trail: 0 } : shaped;
  };
}

const NOTHING = Buffer.alloc(0);
