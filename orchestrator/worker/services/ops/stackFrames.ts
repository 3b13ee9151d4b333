import { template } from "./template.ts";

/** `at run (index.js:12:3)`, `❯ test/a.test.ts:3:1`, `File "a.py", line 3, in f`, `--> src/a.rs:3:1`, a goroutine's place. */
const FRAMES: readonly RegExp[] = [
  /^\s*at (?:async )?(?:new )?(?<name>[^\s(]+)(?: \[as [^\]]+\])? \((?<place>[^)]*)\)\s*$/,
  /^\s*at (?:async )?(?<place>\S+:\d+(?::\d+)?)\s*$/,
  /^\s*❯ (?:(?<name>[^\s:]+) )?(?<place>\S+:\d+:\d+)\s*$/u,
  /^\s*File "(?<place>[^"]+)", line \d+(?:, in (?<name>\S+))?\s*$/,
  /^\s*-->\s+(?<place>\S+:\d+:\d+)\s*$/,
  /^\s+(?<place>\/\S+\.go:\d+)(?: \+0x[0-9a-f]+)?\s*$/,
  /^\s+(?<name>[\w./]+(?:\.\(\*?\w+\))?\.\w+)\(\S*\)\s*$/,
];

/** Of the platform, of packages, or of no place at all: what called them is what is to be mended. */
const FOREIGN =
  /node_modules|^node:|^internal\/|cloudflare-internal|^<anonymous>$|^native$|^\[native|\/(?:hostedtoolcache|usr\/lib)\//;

const match = (line: string): RegExpExecArray | null => {
  for (const pattern of FRAMES) {
    const found = pattern.exec(line);
    if (found) return found;
  }
  return null;
};

export const isFrame = (line: string): boolean => match(line) !== null;

/**
 * The topmost frame of the program's own: its function, or the name of its file. Lines, columns and a bundle's hash
 * change with every deployment and are left out.
 */
export function frameOf(lines: readonly string[]): string | null {
  const frames = lines.map(match).filter((frame) => frame !== null);
  const own = frames.find(({ groups }) => !FOREIGN.test(groups?.place ?? "")) ?? frames[0];
  if (!own) return null;
  const { name, place = "" } = own.groups ?? {};
  const isNamed = name !== undefined && !/^(?:<anonymous>|Object\.<anonymous>|eval|<module>)$/.test(name);
  return isNamed ? name.replace(/^(?:Object|Module|Function)\./, "") : template(place.replace(/(?::\d+)+$/, ""));
}
