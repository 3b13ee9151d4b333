const bare = (line: string): string => line.slice(1).replaceAll(/\s+/g, "");

/** A run of removed lines and the added lines that follow it, at most this long each, is compared line by line. */
const MAX_RUN = 400;

/**
 * A unified diff in which lines that differ in white space alone are context, as they came out. Each hunk keeps its
 * header, as both counts stay what they were; a hunk without a change left is taken out.
 */
export function withoutWhitespaceChanges(diff: string): string {
  const lines = diff.split("\n");
  const first = lines.findIndex((line) => line.startsWith("@@"));
  if (first === -1) return diff;
  const out = lines.slice(0, first);
  let hunk: string[] = [];
  let removed: string[] = [];
  let added: string[] = [];

  const settle = (): void => {
    hunk.push(...pair(removed, added));
    removed = [];
    added = [];
  };
  const close = (): void => {
    settle();
    if (hunk.slice(1).some((line) => /^[-+]/.test(line))) out.push(...hunk);
    hunk = [];
  };

  for (const line of lines.slice(first)) {
    if (line.startsWith("@@")) {
      close();
      hunk.push(line);
    } else if (line.startsWith("-") && added.length === 0) removed.push(line);
    else if (line.startsWith("-")) {
      settle();
      removed.push(line);
    } else if (line.startsWith("+")) added.push(line);
    else {
      settle();
      hunk.push(line);
    }
  }
  close();
  return out.join("\n");
}

/** The longest common subsequence of both runs by their text without white space becomes context. */
function pair(removed: readonly string[], added: readonly string[]): string[] {
  if (removed.length === 0 || added.length === 0 || removed.length > MAX_RUN || added.length > MAX_RUN)
    return [...removed, ...added];
  const [left, right] = [removed.map(bare), added.map(bare)];
  const width = right.length + 1;
  const lengths = new Uint16Array((left.length + 1) * width);
  for (let i = left.length - 1; i >= 0; i -= 1)
    for (let j = right.length - 1; j >= 0; j -= 1)
      lengths[i * width + j] =
        left[i] === right[j]
          ? 1 + (lengths[(i + 1) * width + j + 1] ?? 0)
          : Math.max(lengths[(i + 1) * width + j] ?? 0, lengths[i * width + j + 1] ?? 0);

  const out: string[] = [];
  let after: string[] = [];
  let [i, j] = [0, 0];
  while (i < left.length || j < right.length) {
    if (i < left.length && j < right.length && left[i] === right[j]) {
      out.push(...after, ` ${(added[j] ?? "").slice(1)}`);
      after = [];
      i += 1;
      j += 1;
    } else if (
      j >= right.length ||
      (i < left.length && (lengths[(i + 1) * width + j] ?? 0) >= (lengths[i * width + j + 1] ?? 0))
    ) {
      out.push(removed[i] ?? "");
      i += 1;
    } else {
      after.push(added[j] ?? "");
      j += 1;
    }
  }
  return [...out, ...after];
}
