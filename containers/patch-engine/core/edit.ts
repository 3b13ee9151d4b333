import { Buffer } from "node:buffer";

/** Bytes of a text replaced by others. Lists of edits ascend and do not overlap. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: Buffer;
  /** The batch's patches that made it, by index, ascending. */
  readonly owners: readonly number[];
}

const NOTHING = Buffer.alloc(0);

/** An edit and where its text begins after the first list's edits. */
interface Standing {
  edit: Edit;
  at: number;
}

/**
 * One list of edits that does what `first` and then `second` do; `second` speaks of the text that `first` left. An edit
 * within another's text becomes part of it and shares its owners; what only touches stays apart, unless `join` is set
 * and both have the same owners. Linear in both lists.
 */
export function compose(first: readonly Edit[], second: readonly Edit[], join = false): Edit[] {
  const standing: Standing[] = [];
  let delta = 0;
  for (const edit of first) {
    standing.push({ edit, at: edit.start + delta });
    delta += edit.text.length - (edit.end - edit.start);
  }

  // From the end: what the second list changes behind an edit does not move what is before it.
  const done: Edit[] = [];
  for (const next of second.toReversed()) {
    const touches = (one: Standing) =>
      join && sameOwners(one.edit, next) && (one.at === next.end || one.at + one.edit.text.length === next.start);

    for (let top = standing.at(-1); top && isAfter(top, next) && !touches(top); top = standing.at(-1)) {
      done.push(top.edit);
      standing.pop();
    }
    const merged: Standing[] = [];
    for (let top = standing.at(-1); top && (overlaps(top, next) || touches(top)); top = standing.at(-1)) {
      merged.push(top);
      standing.pop();
    }
    const low = merged.at(-1);
    const high = merged[0];
    standing.push(low && high ? merge(low, high, merged, next) : moveBack(next, standing.at(-1)));
  }
  while (standing.length > 0) {
    const top = standing.pop();
    if (top) done.push(top.edit);
  }
  return done.toReversed();
}

function isAfter(one: Standing, next: Edit): boolean {
  if (one.at > next.end) return true;
  // A deletion at the place of an insertion stays before it.
  return one.at === next.end && !(next.start === next.end && one.edit.text.length === 0);
}

function overlaps(one: Standing, next: Edit): boolean {
  return one.at < next.end && one.at + one.edit.text.length > next.start;
}

function sameOwners(a: Edit, b: Edit): boolean {
  return a.owners.length === b.owners.length && a.owners.every((owner, i) => owner === b.owners[i]);
}

function merge(low: Standing, high: Standing, merged: readonly Standing[], next: Edit): Standing {
  const highEnd = high.at + high.edit.text.length;
  const head = low.at < next.start ? low.edit.text.subarray(0, next.start - low.at) : NOTHING;
  const tail = highEnd > next.end ? high.edit.text.subarray(next.end - high.at) : NOTHING;
  const owners = new Set([...merged.flatMap(({ edit }) => edit.owners), ...next.owners]);
  return {
    at: Math.min(low.at, next.start),
    edit: {
      start: low.at <= next.start ? low.edit.start : next.start - (low.at - low.edit.start),
      end: highEnd >= next.end ? high.edit.end : next.end - (highEnd - high.edit.end),
      text: Buffer.concat([head, next.text, tail]),
      owners: [...owners].toSorted((a, b) => a - b),
    },
  };
}

/** An edit of the text after, as one of the text before; `before` is the last edit that stands before it. */
function moveBack(next: Edit, before: Standing | undefined): Standing {
  const moved = before ? before.at + before.edit.text.length - before.edit.end : 0;
  return { at: next.start, edit: { ...next, start: next.start - moved, end: next.end - moved } };
}
