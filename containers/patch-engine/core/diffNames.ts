import { Buffer, isUtf8 } from "node:buffer";

/** A name as a diff writes it; null for `/dev/null`. */
export type DiffName = string | null;

const ESCAPED: ReadonlyMap<string, number> = new Map([
  ["a", 0x07],
  ["b", 0x08],
  ["t", 0x09],
  ["n", 0x0a],
  ["v", 0x0b],
  ["f", 0x0c],
  ["r", 0x0d],
  ['"', 0x22],
  ["\\", 0x5c],
]);

/** A name in quotes with C escapes, as git writes it, and what stands behind it; null where it is none. */
export function unquoted(text: string): { name: string; rest: string } | null {
  if (!text.startsWith('"')) return null;
  const pieces: Buffer[] = [];
  let plain = 1;
  for (let i = 1; i < text.length; i++) {
    const character = text[i];
    if (character !== '"' && character !== "\\") continue;
    pieces.push(Buffer.from(text.slice(plain, i)));
    if (character === '"') {
      const bytes = Buffer.concat(pieces);
      return isUtf8(bytes) ? { name: bytes.toString(), rest: text.slice(i + 1) } : null;
    }
    const octal = /^[0-3][0-7]{2}/.exec(text.slice(i + 1, i + 4));
    const byte = octal ? Number.parseInt(octal[0], 8) : ESCAPED.get(text[i + 1] ?? "");
    if (byte === undefined) return null;
    pieces.push(Buffer.of(byte));
    i += octal ? 3 : 1;
    plain = i + 1;
  }
  return null;
}

/** The whole of a text as one name, quoted or not; null where the quotes are wrong. */
export function wholeName(text: string): string | null {
  if (!text.startsWith('"')) return text;
  const quoted = unquoted(text);
  return quoted?.rest === "" ? quoted.name : null;
}

/** The name in a `---` or `+++` line, and whether its timestamp is the epoch, by which `diff -N` says that no file is there. */
export function labelled(text: string): { name: DiffName; isEpoch: boolean } | null {
  const quoted = text.startsWith('"') ? unquoted(text) : undefined;
  if (quoted === null) return null;
  const tab = text.indexOf("\t");
  const raw = quoted?.name ?? (tab === -1 ? text : text.slice(0, tab));
  const stamp = (quoted?.rest ?? (tab === -1 ? "" : text.slice(tab))).trim();
  if (quoted && quoted.rest !== "" && !/^[\t ]/.test(quoted.rest)) return null;
  if (raw === "/dev/null") return { name: null, isEpoch: true };
  return { name: raw.startsWith("./") ? raw.slice(2) : raw, isEpoch: isEpoch(stamp) };
}

const STAMP = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.0{1,9})? ([+-]\d\d)(\d\d)$/;

function isEpoch(stamp: string): boolean {
  const parts = STAMP.exec(stamp.slice(0, 40));
  return parts !== null && Date.parse(`${parts[1]}T${parts[2]}${parts[3]}:${parts[4]}`) === 0;
}

/**
 * The path that two names of one file mean: themselves where they are the same, else what follows the first segment of
 * each (`a/` and `b/`, `old/` and `new/`). Null where they mean two files.
 */
export function commonPath(old: string, now: string): string | null {
  if (old === now) return old;
  const tail = tailOf(old);
  return tail !== null && tail === tailOf(now) ? tail : null;
}

/** Whether a name means a path that is known: it is the path, or the path behind one more segment. */
export const means = (name: string, path: string): boolean => name === path || tailOf(name) === path;

/** A name alone, of a file that is made or removed: without the prefix of its side. */
export const withoutPrefix = (name: string, prefix: "a/" | "b/"): string =>
  name.startsWith(prefix) && name.length > 2 ? name.slice(2) : name;

function tailOf(name: string): string | null {
  const slash = name.indexOf("/");
  return slash === -1 || slash === name.length - 1 ? null : name.slice(slash + 1);
}

/** The path in a `diff --git` line, where both of its names mean one; null where they differ, as in a rename. */
export function pathOfGitLine(rest: string): string | null {
  const names = namesOfGitLine(rest);
  return names && commonPath(names[0], names[1]);
}

function namesOfGitLine(rest: string): [string, string] | null {
  const quoted = unquoted(rest);
  if (quoted) {
    const second = quoted.rest.startsWith(" ") ? wholeName(quoted.rest.slice(1)) : null;
    return second === null ? null : [quoted.name, second];
  }
  const quote = rest.endsWith('"') ? rest.indexOf(' "') : -1;
  if (quote !== -1) {
    const second = wholeName(rest.slice(quote + 1));
    return second === null ? null : [rest.slice(0, quote), second];
  }
  // Neither is in quotes, and both may hold spaces: one path twice, with prefixes as long as each other.
  const middle = (rest.length - 1) / 2;
  if (rest[middle] !== " ") return null;
  return [rest.slice(0, middle), rest.slice(middle + 1)];
}
