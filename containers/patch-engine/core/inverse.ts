import { Buffer } from "node:buffer";
import type { Splice } from "@shared/contracts";

/** Text to put back: `restore` in place of the bytes from `start` to `end` of a file as it stands. */
export interface Inverse {
  start: number;
  end: number;
  restore: Buffer;
  /** The patches it undoes, by id. */
  owners: readonly string[];
  /** Of the owners, those whose doing it holds and those whose undoing by a later entry. */
  did: ReadonlySet<string>;
  undid: ReadonlySet<string>;
  /** A later patch that changed the same text and is not undone, where there is one. */
  conflict: string | null;
}

/** An inverse in coordinates before an entry, and by how much the entry's splices within it change its length. */
interface Pending extends Inverse {
  grow: number;
}

export type Membership = "undone" | "kept" | "shared";

/**
 * Carries inverses through the splices of one entry on their file. A splice that is undone itself becomes an inverse,
 * one with those it overlaps; any other splice moves what stands behind it, and conflicts with what it changes.
 * Touching is not changing. `undoing` are the patches that this entry undid.
 */
export function carryInverses(
  inverses: readonly Inverse[],
  splices: readonly Splice[],
  membershipOf: (splice: Splice) => Membership,
  undoing: ReadonlySet<string>,
): Inverse[] {
  const carried: Inverse[] = [];
  const queue: Pending[] = inverses.map((inverse) => ({ ...inverse, grow: 0 }));
  let next = 0;
  let delta = 0;
  const emit = ({ grow, ...inverse }: Pending) => {
    carried.push({ ...inverse, start: inverse.start + delta, end: inverse.end + delta + grow });
    delta += grow;
  };

  for (const splice of splices) {
    const membership = membershipOf(splice);
    const owners = ownersOf(splice);
    // The two halves of what was done and undone belong together even where one of them holds no text to overlap.
    const joins = (one: Pending) =>
      membership === "undone" &&
      one.end >= splice.start &&
      one.start <= splice.end &&
      one.owners.some((owner) => owners.includes(owner));
    for (let one = queue[next]; one && one.end <= splice.start && !joins(one); one = queue[next]) {
      emit(one);
      next++;
    }
    const met: Pending[] = [];
    for (let one = queue[next]; one && (one.start < splice.end || joins(one)); one = queue[next]) {
      met.push(one);
      next++;
    }
    const added = Buffer.from(splice.new);
    const old = Buffer.from(splice.old);
    if (membership === "kept" && met.length === 0) {
      delta += added.length - old.length;
      continue;
    }
    const made = merged(splice, old, added, met, membership, undoing);
    // It may meet the next splice too, so it goes back to the head of the queue.
    if (next > 0) queue[--next] = made;
    else queue.unshift(made);
  }
  for (; next < queue.length; next++) {
    const one = queue[next];
    if (one) emit(one);
  }
  return carried;
}

function merged(
  splice: Splice,
  old: Buffer,
  added: Buffer,
  met: readonly Pending[],
  membership: Membership,
  undoing: ReadonlySet<string>,
): Pending {
  const start = Math.min(splice.start, met[0]?.start ?? splice.start);
  const end = Math.max(splice.end, met.at(-1)?.end ?? splice.end);
  const pieces: Buffer[] = [];
  const owners = new Set<string>();
  let grow = added.length - old.length;
  let conflict = membership === "undone" ? null : splice.patchId;
  let at = start;
  for (const one of met) {
    if (one.start > at) pieces.push(old.subarray(at - splice.start, one.start - splice.start));
    pieces.push(one.restore);
    at = one.end;
    grow += one.grow;
    conflict ??= one.conflict;
    for (const owner of one.owners) owners.add(owner);
  }
  if (end > at) pieces.push(old.subarray(at - splice.start));
  const did = new Set(met.flatMap((one) => [...one.did]));
  const undid = new Set(met.flatMap((one) => [...one.undid]));
  for (const owner of membership === "kept" ? [] : ownersOf(splice)) {
    owners.add(owner);
    (undoing.has(owner) ? undid : did).add(owner);
  }
  return { start, end, restore: Buffer.concat(pieces), owners: [...owners], did, undid, conflict, grow };
}

/** Every patch that shaped a splice. */
export const ownersOf = (splice: Splice): string[] => [splice.patchId, ...(splice.alsoBy ?? [])];
