import { readFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { z } from "zod";

const DIST = path.resolve(import.meta.dirname, "../dist");
const ChunkSchema = z.object({
  file: z.string(),
  isEntry: z.boolean().optional(),
  isDynamicEntry: z.boolean().optional(),
  imports: z.array(z.string()).default([]),
});
type Manifest = Record<string, z.infer<typeof ChunkSchema>>;

export interface BundleSize {
  /** Bytes of gzip of all scripts that the page needs before its first route. */
  initial: number;
  /** Each page and part that is loaded when it is wanted: what it adds, with the chunks it needs. */
  parts: { name: string; bytes: number }[];
}

const gzipped = (file: string): number => gzipSync(readFileSync(path.join(DIST, "client", file)), { level: 9 }).length;

/** All chunks that one needs, itself included. */
function closure(manifest: Manifest, key: string, seen = new Set<string>()): Set<string> {
  if (seen.has(key)) return seen;
  seen.add(key);
  for (const each of manifest[key]?.imports ?? []) closure(manifest, each, seen);
  return seen;
}

/** What the last build weighs, as it is sent. */
export function measureBundle(): BundleSize {
  const manifest: Manifest = z
    .record(z.string(), ChunkSchema)
    .parse(JSON.parse(readFileSync(path.join(DIST, "client.manifest.json"), "utf8")));
  const entry = Object.keys(manifest).find((key) => manifest[key]?.isEntry);
  if (entry === undefined) throw new Error("the build has no entry");
  const initial = closure(manifest, entry);
  const bytesOf = (keys: Iterable<string>): number =>
    [...keys].reduce((sum, key) => sum + gzipped(manifest[key]?.file ?? ""), 0);
  const parts = Object.keys(manifest)
    .filter((key) => manifest[key]?.isDynamicEntry)
    .map((key) => ({
      name: path.basename(key).replace(/\.tsx?$/, ""),
      bytes: bytesOf([...closure(manifest, key)].filter((each) => !initial.has(each))),
    }));
  return { initial: bytesOf(initial), parts: parts.toSorted((a, b) => b.bytes - a.bytes) };
}
