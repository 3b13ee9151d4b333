import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import { applyEdits, modify, parse } from "jsonc-parser";
import { listWorkers, readJsonc, relative, ROOT, type WranglerConfig } from "./repository.ts";

/** wrangler.base.jsonc: keys every Worker has, and the bindings every factory has. */
export interface WranglerBase {
  worker: Record<string, unknown>;
  factory: { services: { binding: string }[] };
}

/**
 * The text of a wrangler.jsonc with what is shared written into it. Keys and bindings that the base does not name stay
 * as they are, comments included; a text that already agrees is returned unchanged.
 */
export function withShared(text: string, base: WranglerBase): string {
  const config: WranglerConfig & Record<string, unknown> = parse(text, [], { allowTrailingComma: true });
  const set = (key: (string | number)[], value: unknown): void => {
    const formattingOptions = { tabSize: 2, insertSpaces: true };
    text = applyEdits(text, modify(text, key, value, { formattingOptions }));
  };

  for (const [key, value] of Object.entries(base.worker)) {
    if (!isDeepStrictEqual(config[key], value)) set([key], value);
  }
  if (config.name.endsWith("-factory")) {
    const services = [...(config.services ?? [])];
    for (const shared of base.factory.services) {
      const wanted: { binding: string } = JSON.parse(
        JSON.stringify(shared).replaceAll('"$name"', JSON.stringify(config.name)),
      );
      const at = services.findIndex(({ binding }) => binding === wanted.binding);
      if (at === -1) services.push(wanted);
      else services[at] = wanted;
    }
    if (!isDeepStrictEqual(config.services, services)) set(["services"], services);
  }
  return text;
}

/** Writes what is shared into every Worker's wrangler.jsonc, or only tells where it differs. Answers with those files. */
export function syncWrangler(options: { check: boolean; root?: string }): string[] {
  const root = options.root ?? ROOT;
  const base = readJsonc<WranglerBase>(path.join(root, "wrangler.base.jsonc"));
  return listWorkers(root).flatMap(({ configPath }) => {
    const text = readFileSync(configPath, "utf8");
    const wanted = withShared(text, base);
    if (wanted === text) return [];
    if (!options.check) writeFileSync(configPath, wanted);
    return [configPath];
  });
}

if (import.meta.main) {
  const check = process.argv.includes("--check");
  for (const file of syncWrangler({ check })) {
    console.log(
      check
        ? `${relative(file)} differs from wrangler.base.jsonc: run npm run sync:wrangler`
        : `wrote ${relative(file)}`,
    );
    if (check) process.exitCode = 1;
  }
}
