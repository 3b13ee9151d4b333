import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { KEYS } from "./stack.ts";

/**
 * What would give a key away: it, its encodings, and either half of it, for a value that a page of a database cuts in
 * two.
 */
const traces = Object.values(KEYS).flatMap(({ binding, value }) => {
  const half = Math.floor(value.length / 2);
  const bytes = Buffer.from(value);
  const forms = [value.slice(0, half), value.slice(half), bytes.toString("base64").slice(0, -4), bytes.toString("hex")];
  return forms.map((form) => ({ binding, form }));
});

/** The bindings whose keys stand in these bytes. */
export const keysIn = (bytes: string): string[] => [
  ...new Set(traces.filter(({ form }) => bytes.includes(form)).map(({ binding }) => binding)),
];

/** Every file below a directory in which a key stands, and how many files there are. Read as bytes, whatever they are. */
export function filesWithKeys(directory: string): { files: string[]; found: string[] } {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
  const found = files.flatMap((file) =>
    keysIn(readFileSync(file, "latin1")).map((binding) => `${binding} in ${path.relative(directory, file)}`),
  );
  return { files: files.map((file) => path.relative(directory, file)), found };
}
