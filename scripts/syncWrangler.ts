import { existsSync, readFileSync, writeFileSync } from "node:fs";
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
  local: z.object({ optionalSecrets: z.array(z.string()) }).optional(),
  containers: z
    .object({ main: z.string(), binding: z.unknown(), migration: z.unknown(), containers: z.array(z.unknown()) })
    .optional(),
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

/** The orchestrator's configuration where containers are on: its own, with the class that starts them. */
export function withContainers(text: string, containers: NonNullable<WranglerBase["containers"]>): string {
  const set = (key: (string | number)[], value: unknown, isArrayInsertion = false): void => {
    const formattingOptions = { tabSize: 2, insertSpaces: true };
    text = applyEdits(text, modify(text, key, value, { formattingOptions, isArrayInsertion }));
  };
  set(["main"], containers.main);
  set(["durable_objects", "bindings", -1], containers.binding, true);
  set(["migrations", 1], containers.migration, true);
  set(["containers"], containers.containers);
  return `// Written by scripts/syncWrangler.ts from wrangler.jsonc and wrangler.base.jsonc; change those.\n${text}`;
}

/** The orchestrator's configuration under `npm start`: its own, which also takes secrets that may be missing. */
export function withLocal(text: string, local: NonNullable<WranglerBase["local"]>): string {
  const { secrets } = parseWranglerConfig(parse(text, [], { allowTrailingComma: true }));
  const required = [...(secrets?.required ?? []), ...local.optionalSecrets];
  const formattingOptions = { tabSize: 2, insertSpaces: true };
  const written = applyEdits(text, modify(text, ["secrets", "required"], required, { formattingOptions }));
  return `// Written by scripts/syncWrangler.ts from wrangler.jsonc and wrangler.base.jsonc; change those.\n${written}`;
}

/** Writes what is shared into every Worker's wrangler.jsonc, or only tells where it differs. Answers with those files. */
export function syncWrangler(options: { check: boolean; root?: string }): string[] {
  const root = options.root ?? ROOT;
  const base = WranglerBaseSchema.parse(readJsonc(path.join(root, "wrangler.base.jsonc")));
  return listWorkers(root).flatMap(({ configPath, directory }) => {
    const text = readFileSync(configPath, "utf8");
    const wanted = new Map([[configPath, withShared(text, base)]]);
    if (base.local && path.basename(directory) === "orchestrator") {
      wanted.set(path.join(directory, "wrangler.local.jsonc"), withLocal(withShared(text, base), base.local));
    }
    if (base.containers && path.basename(directory) === "orchestrator") {
      const shared = withShared(text, base);
      wanted.set(path.join(directory, "wrangler.containers.jsonc"), withContainers(shared, base.containers));
    }
    return [...wanted].flatMap(([file, content]) => {
      if (existsSync(file) && readFileSync(file, "utf8") === content) return [];
      if (!options.check) writeFileSync(file, content);
      return [file];
    });
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
