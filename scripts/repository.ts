import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { parse, type ParseError, printParseErrorCode } from "jsonc-parser";
import { z } from "zod";

/** The repository's root; every script works from here, wherever it was called from. */
export const ROOT = path.resolve(import.meta.dirname, "..");

/** The part of a wrangler.jsonc that the scripts read. */
const WranglerConfigSchema = z.looseObject({
  name: z.string(),
  main: z.string().optional(),
  services: z.array(z.looseObject({ binding: z.string() })).optional(),
  vars: z.record(z.string(), z.unknown()).optional(),
  d1_databases: z
    .array(
      z.object({ binding: z.string(), database_name: z.string(), database_id: z.string(), migrations_dir: z.string() }),
    )
    .optional(),
  secrets: z.object({ required: z.array(z.string()).optional() }).optional(),
  triggers: z.object({ crons: z.array(z.string()).optional() }).optional(),
});
export type WranglerConfig = z.infer<typeof WranglerConfigSchema>;

export interface Worker {
  name: string;
  directory: string;
  configPath: string;
  config: WranglerConfig;
}

/** Reads JSON with comments and trailing commas. Throws with the file's name and the place of a syntax error. */
export function readJsonc(file: string): unknown {
  const text = readFileSync(file, "utf8");
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, { allowTrailingComma: true });
  const first = errors[0];
  if (first) {
    const line = text.slice(0, first.offset).split("\n").length;
    throw new Error(`${relative(file)}:${line}: ${printParseErrorCode(first.error)}`);
  }
  return value;
}

export const parseWranglerConfig = (value: unknown): WranglerConfig => WranglerConfigSchema.parse(value);

/** The orchestrator first, because `wrangler dev` gives HTTP and cron to the first; then apps/ by name. */
export function listWorkers(root: string = ROOT): Worker[] {
  const apps = path.join(root, "apps");
  const directories = [
    path.join(root, "orchestrator"),
    ...(existsSync(apps) ? readdirSync(apps).toSorted() : []).map((name) => path.join(apps, name)),
  ];
  return directories.flatMap((directory) => {
    const configPath = path.join(directory, "wrangler.jsonc");
    if (!existsSync(configPath)) return [];
    const config = parseWranglerConfig(readJsonc(configPath));
    return [{ name: config.name, directory, configPath, config }];
  });
}

export const relative = (file: string): string => path.relative(ROOT, file);

/** A path as its caller meant it: npm moves scripts to the root and leaves where it was called from in INIT_CWD. */
export const fromCaller = (file: string): string => path.resolve(process.env.INIT_CWD ?? process.cwd(), file);
