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
  /** Of every Worker; "$name" and "$type" stand for its own. */
  vars: z.record(z.string(), z.string()).default({}),
  /** Of every Worker in apps/. */
  app: z.object({ services: z.array(BindingSchema) }).default({ services: [] }),
  factory: z.object({ services: z.array(BindingSchema) }),
  /** Secrets that a Worker may do without, by its name. */
  optionalSecrets: z.record(z.string(), z.array(z.string())).default({}),
  /** How the orchestrator is bound to each Worker in apps/, and the var that lists them. */
  health: z.object({ targets: z.string(), binding: z.record(z.string(), z.unknown()) }).optional(),
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
 * as they are, comments included; a text that already agrees is returned unchanged. `apps`, of the orchestrator alone:
 * the names of the Workers beside it.
 */
export function withShared(text: string, base: WranglerBase, apps: readonly string[] | null = null): string {
  const config = parseWranglerConfig(parse(text, [], { allowTrailingComma: true }));
  const set = (key: (string | number)[], value: unknown): void => {
    const formattingOptions = { tabSize: 2, insertSpaces: true };
    text = applyEdits(text, modify(text, key, value, { formattingOptions }));
  };

  for (const [key, value] of Object.entries(base.worker)) {
    if (!isDeepStrictEqual(config[key], value)) set([key], value);
  }
  const wanted = [
    ...(apps === null ? base.app.services : []),
    ...(config.name.endsWith("-factory") ? base.factory.services : []),
  ].map((shared) => named(shared, config.name));
  const vars: Record<string, string> = {};
  for (const [key, value] of Object.entries(base.vars)) {
    vars[key] = value.replace("$name", config.name).replace("$type", workerTypeOf(config.name, apps !== null));
  }
  if (base.health && apps !== null) {
    for (const app of apps) {
      wanted.push({ binding: healthBindingOf(app), service: app, ...base.health.binding });
    }
    vars[base.health.targets] = [config.name, ...apps].join(",");
  }
  for (const [key, value] of Object.entries(vars)) {
    if (config.vars?.[key] !== value) set(["vars", key], value);
  }
  const services = [...(config.services ?? [])];
  for (const shared of wanted) {
    const at = services.findIndex(({ binding }) => binding === shared.binding);
    if (isDeepStrictEqual(services[at], shared)) continue;
    // One by one, so that what stands around it keeps its comments.
    if (at === -1) {
      set(["services", ...(services.length === 0 ? [] : [services.length])], services.length === 0 ? [shared] : shared);
      services.push(shared);
    } else set(["services", at], shared);
  }
  return text;
}

/** The binding by which the orchestrator checks a Worker: HEALTH_AGENT_FACTORY. */
const healthBindingOf = (name: string): string => `HEALTH_${name.toUpperCase().replaceAll("-", "_")}`;

/** What kind of Worker a name says it is. */
function workerTypeOf(name: string, governs: boolean): string {
  if (governs) return "orchestrator";
  if (name.endsWith("-factory")) return "factory";
  return name.endsWith("-api") ? "api" : "specialist";
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
export function withLocal(text: string, optional: readonly string[]): string {
  const { secrets } = parseWranglerConfig(parse(text, [], { allowTrailingComma: true }));
  const required = [...(secrets?.required ?? []), ...optional];
  const formattingOptions = { tabSize: 2, insertSpaces: true };
  const written = applyEdits(text, modify(text, ["secrets", "required"], required, { formattingOptions }));
  return `// Written by scripts/syncWrangler.ts from wrangler.jsonc and wrangler.base.jsonc; change those.\n${written}`;
}
const isOrchestrator = (directory: string): boolean => path.basename(directory) === "orchestrator";

/** Writes what is shared into every Worker's wrangler.jsonc, or only tells where it differs. Answers with those files. */
export function syncWrangler(options: { check: boolean; root?: string }): string[] {
  const root = options.root ?? ROOT;
  const base = WranglerBaseSchema.parse(readJsonc(path.join(root, "wrangler.base.jsonc")));
  const workers = listWorkers(root);
  const apps = workers.filter(({ directory }) => !isOrchestrator(directory)).map(({ name }) => name);
  return workers.flatMap(({ name, configPath, directory }) => {
    const text = readFileSync(configPath, "utf8");
    const shared = withShared(text, base, isOrchestrator(directory) ? apps : null);
    const wanted = new Map([[configPath, shared]]);
    const optional = base.optionalSecrets[name] ?? [];
    if (optional.length > 0 && isOrchestrator(directory)) {
      wanted.set(path.join(directory, "wrangler.local.jsonc"), withLocal(shared, optional));
    }
    if (base.containers && isOrchestrator(directory)) {
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
