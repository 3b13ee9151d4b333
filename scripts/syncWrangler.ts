import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import { applyEdits, modify, parse } from "jsonc-parser";
import { z } from "zod";
import { listWorkers, readJsonc, relative, ROOT, parseWranglerConfig } from "./repository.ts";

/** wrangler.base.jsonc: keys every Worker has, and the bindings every factory has. */
const BindingSchema = z.looseObject({ binding: z.string() });
type SharedBinding = z.infer<typeof BindingSchema>;

const WranglerBaseSchema = z.object({
  worker: z.record(z.string(), z.unknown()),
  factory: z.object({ services: z.array(BindingSchema) }),
});
export type WranglerBase = z.infer<typeof WranglerBaseSchema>;

/** A shared binding with "$name" replaced, wherever it stands as a whole string. */
function named(binding: SharedBinding, name: string): SharedBinding {
  const text = JSON.stringify(binding).replaceAll('"$name"', JSON.stringify(name));
  return BindingSchema.parse(JSON.parse(text));
}

/**
 * The text of a wrangler.jsonc with what is shared written into it. Keys and bindings that the base does not name stay
 * as they are, comments included; a text that already agrees is returned unchanged.
 */
export function withShared(text: string, base: WranglerBase): string {
  const config = parseWranglerConfig(parse(text, [], { allowTrailingComma: true }));
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
      const wanted = named(shared, config.name);
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
  const base = WranglerBaseSchema.parse(readJsonc(path.join(root, "wrangler.base.jsonc")));
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
