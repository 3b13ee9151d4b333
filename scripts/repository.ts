import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { parse, type ParseError, printParseErrorCode } from "jsonc-parser";

/** The repository's root; every script works from here, wherever it was called from. */
export const ROOT = path.resolve(import.meta.dirname, "..");

/** The part of a wrangler.jsonc that the scripts read. */
export interface WranglerConfig {
  name: string;
  main?: string;
  services?: { binding: string }[];
  d1_databases?: { binding: string; database_name: string; database_id: string; migrations_dir: string }[];
  secrets?: { required?: string[] };
  triggers?: { crons?: string[] };
}

export interface Worker {
  name: string;
  directory: string;
  configPath: string;
  config: WranglerConfig;
}

/** Reads a JSON file with comments and trailing commas. A syntax error is thrown with the file's name and the place. */
export function readJsonc<T>(file: string): T {
  const text = readFileSync(file, "utf8");
  const errors: ParseError[] = [];
  const value: T = parse(text, errors, { allowTrailingComma: true });
  const first = errors[0];
  if (first) {
    const line = text.slice(0, first.offset).split("\n").length;
    throw new Error(`${path.relative(ROOT, file)}:${line}: ${printParseErrorCode(first.error)}`);
  }
  return value;
}

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
    const config = readJsonc<WranglerConfig>(configPath);
    return [{ name: config.name, directory, configPath, config }];
  });
}

export const relative = (file: string): string => path.relative(ROOT, file);
