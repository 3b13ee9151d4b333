import { lstatSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { z } from "zod";
import { withoutComments } from "../parse.ts";

/** Options by which a project makes its compiler write files of the project's choosing, `--noEmit` or not. */
const WRITES = ["generateTrace", "generateCpuProfile", "pprofDir"] as const;

const Texts = z.array(z.string()).nullish();
const ProjectSchema = z.object({
  extends: z.union([z.string(), z.array(z.string())]).nullish(),
  files: Texts,
  include: Texts,
  references: z.array(z.object({ path: z.string() })).nullish(),
  compilerOptions: z
    .looseObject({
      baseUrl: z.string().nullish(),
      rootDir: z.string().nullish(),
      rootDirs: Texts,
      typeRoots: Texts,
      paths: z.record(z.string(), z.array(z.string())).nullish(),
    })
    .nullish(),
});
type Project = z.infer<typeof ProjectSchema>;

/**
 * Why a project is not given to a compiler: its file, or one that it extends, leads out of the directory or has the
 * compiler write. Null where neither is so. What an installed package says in a file that is extended is not looked at:
 * it is code that the project runs anyway. A file that cannot be read as what it should be is a reason too, since a
 * compiler, which forgives more, would still follow it.
 */
export function escapeOf(directory: string, project: string): string | null {
  const queue = [project];
  for (const path of queue) {
    const config = readConfig(join(directory, path));
    if (config === null) return `${path} cannot be read`;
    const writes = WRITES.find((option) => config.compilerOptions?.[option] !== undefined);
    if (writes !== undefined) return `${path}: "${writes}" would write files`;
    const from = dirname(join(directory, path));
    const within = (target: string): boolean => isWithin(directory, resolve(from, target));
    const out = pathsIn(config).find((target) => !within(target.replaceAll("${configDir}", ".")));
    if (out !== undefined) return `${path}: "${out}" leads out of the workspace`;
    for (const base of [config.extends ?? []].flat()) {
      if (!/^\.{0,2}\//u.test(base) && base !== "." && base !== "..") continue;
      if (!within(base)) return `${path}: "${base}" leads out of the workspace`;
      const file = fileOf(resolve(from, base));
      if (file === null) continue;
      const next = relative(directory, file);
      if (!queue.includes(next)) queue.push(next);
    }
  }
  return null;
}

function readConfig(file: string): Project | null {
  try {
    const text = readFileSync(file, "utf8").replace(/^\uFEFF/u, "");
    const parsed = ProjectSchema.safeParse(JSON.parse(withoutComments(text)));
    return parsed.success ? parsed.data : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

const isFile = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;

/** The file that `extends` means: with its ending, or without. */
function fileOf(path: string): string | null {
  return [path, `${path}.json`].find(isFile) ?? null;
}

function isWithin(directory: string, path: string): boolean {
  const way = relative(directory, path);
  return way !== ".." && !way.startsWith(`..${sep}`);
}

function pathsIn({ files, include, references, compilerOptions }: Project): string[] {
  const { baseUrl, rootDir, rootDirs, typeRoots, paths } = compilerOptions ?? {};
  // What `paths` leads to is relative to `baseUrl`.
  const mapped = Object.values(paths ?? {}).flatMap((targets) =>
    targets.map((target) => (target.startsWith("/") ? target : join(baseUrl ?? ".", target))),
  );
  const listed = [files, include, rootDirs, typeRoots].flatMap((list) => list ?? []);
  const single = [baseUrl, rootDir].filter((path) => typeof path === "string");
  return [...listed, ...single, ...mapped, ...(references ?? []).map(({ path }) => path)];
}
