const LANGUAGES: Record<string, readonly string[]> = {
  typescript: ["ts", "tsx", "mts", "cts"],
  javascript: ["js", "jsx", "mjs", "cjs"],
  python: ["py", "pyi"],
  go: ["go"],
  rust: ["rs"],
  java: ["java", "kt", "kts"],
  c: ["c", "h", "cc", "cpp", "hpp", "cxx"],
  csharp: ["cs"],
  ruby: ["rb"],
  php: ["php"],
  swift: ["swift"],
  shell: ["sh", "bash"],
  sql: ["sql"],
  html: ["html", "vue", "svelte"],
  css: ["css", "scss", "less"],
  markdown: ["md", "mdx"],
  config: ["json", "jsonc", "yaml", "yml", "toml"],
};
const BY_EXTENSION = new Map(
  Object.entries(LANGUAGES).flatMap(([language, extensions]) => extensions.map((extension) => [extension, language])),
);

/** What a task is in, where nothing tells. */
export const ANY_LANGUAGE = "any";

/**
 * The language of a task: the one most of its globs name by their endings; where none does, the one most of the files
 * that they match are in (`files`, of the workspace). Of equals, the first by name. Configuration and prose count only
 * where there is nothing else.
 */
export function languageOf(globs: readonly string[], files: readonly string[]): string {
  return mostOf(globs.flatMap(extensionsOf)) ?? mostOf(files.flatMap(extensionsOf)) ?? ANY_LANGUAGE;
}

// A glob may name two: *.{ts,tsx}
function extensionsOf(path: string): string[] {
  const [, list, single] = /\.(?:\{([\w,]+)\}|(\w+))$/.exec(path) ?? [];
  return list?.split(",") ?? (single === undefined ? [] : [single]);
}

const MINOR: ReadonlySet<string> = new Set(["markdown", "config"]);

function mostOf(extensions: readonly string[]): string | null {
  const counts = new Map<string, number>();
  for (const extension of extensions) {
    const language = BY_EXTENSION.get(extension.toLowerCase());
    if (language !== undefined) counts.set(language, (counts.get(language) ?? 0) + 1);
  }
  const ranked = [...counts].toSorted(
    ([a, many], [b, more]) => Number(MINOR.has(a)) - Number(MINOR.has(b)) || more - many || (a < b ? -1 : 1),
  );
  return ranked[0]?.[0] ?? null;
}
