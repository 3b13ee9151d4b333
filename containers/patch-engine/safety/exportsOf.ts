const LANGUAGES: Readonly<Record<string, "jsx" | "ts" | "tsx">> = {
  js: "jsx",
  mjs: "jsx",
  cjs: "jsx",
  jsx: "jsx",
  ts: "ts",
  mts: "ts",
  cts: "ts",
  tsx: "tsx",
};

/** The names a JavaScript or TypeScript module exports, values and types; none of any other file. */
export async function exportsOf(path: string, bytes: Uint8Array): Promise<Set<string>> {
  const lang = LANGUAGES[path.slice(path.lastIndexOf(".") + 1)];
  const names = new Set<string>();
  if (!lang) return names;
  const { parseSync } = await import("oxc-parser");
  const { module } = parseSync(path, Buffer.from(bytes).toString("utf8"), { lang, sourceType: "module" });
  for (const { entries } of module.staticExports) {
    for (const { exportName, moduleRequest } of entries) {
      const kind: string = exportName.kind;
      if (kind === "Default") names.add("default");
      else if (exportName.name !== null) names.add(exportName.name);
      else if (moduleRequest) names.add(`* from ${moduleRequest.value}`);
    }
  }
  return names;
}
