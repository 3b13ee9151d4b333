import { existsSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";

/** More than a workspace has: what goes beyond is a tree of test cases, and would never end. */
const MAX_PROJECTS = 64;

const depth = (path: string): number => path.split("/").length;

/**
 * The projects of a workspace: every `tsconfig.json`, and what these refer to under other names. A project that only
 * refers to others is none itself. Those nearest to the root come first.
 */
export function projectsOf(directory: string, paths: readonly string[]): string[] {
  const queue = paths
    .filter((path) => posix.basename(path) === "tsconfig.json")
    .toSorted((a, b) => depth(a) - depth(b) || (a < b ? -1 : 1));
  const seen = new Set<string>();
  const projects: string[] = [];
  for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
    if (seen.has(path)) continue;
    seen.add(path);
    const { references, empty } = readProject(join(directory, path));
    if (!empty) projects.push(path);
    for (const reference of references) {
      const target = posix.normalize(posix.join(posix.dirname(path), reference));
      const file = target.endsWith(".json") ? target : posix.join(target, "tsconfig.json");
      if (!file.startsWith("../") && existsSync(join(directory, file))) queue.push(file);
    }
  }
  return projects.slice(0, MAX_PROJECTS);
}

/** What of a project's file decides which projects there are. It may hold comments, so it is read by pattern. */
function readProject(file: string): { references: string[]; empty: boolean } {
  const text = readFileSync(file, "utf8").replaceAll(/"(?:[^"\\\n]|\\.)*"|\/\/[^\n]*|\/\*[^]*?(?:\*\/|$)/gu, (token) =>
    token.startsWith('"') ? token : "",
  );
  const list = /"references"\s*:\s*\[(?<list>[^\]]*)\]/u.exec(text)?.groups?.list ?? "";
  const references = [...list.matchAll(/"path"\s*:\s*"(?<path>[^"]+)"/gu)].flatMap(({ groups }) => groups?.path ?? []);
  return {
    references,
    empty: references.length > 0 && /"files"\s*:\s*\[\s*\]/u.test(text) && !/"include"\s*:/u.test(text),
  };
}
