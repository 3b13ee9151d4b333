import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { listWorkers, relative, type Worker } from "./repository.ts";

/** The variables of a .dev.vars file: `NAME=value` or `NAME="value"` a line, # starts a comment. */
export function readDevVars(file: string): Record<string, string> {
  if (!existsSync(file)) return {};
  const lines = readFileSync(file, "utf8").split(/\r?\n/);
  return Object.fromEntries(
    lines.flatMap((line) => {
      const [, name, value] = /^\s*(?:export\s+)?(\w+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
      return name === undefined || value === undefined ? [] : [[name, value.replace(/^(["'])(.*)\1$/, "$2")]];
    }),
  );
}

/**
 * Gives every Worker the secrets its wrangler.jsonc requires, random ones, in a .dev.vars that only its owner may read.
 * A value that stands there already is never touched. Answers with the files written.
 */
export function writeDevVars(workers: readonly Worker[] = listWorkers()): string[] {
  return workers.flatMap(({ directory, config }) => {
    const required = config.secrets?.required ?? [];
    const file = path.join(directory, ".dev.vars");
    const present = readDevVars(file);
    const missing = required.filter((name) => !present[name]);
    if (missing.length === 0) return [];
    const before = existsSync(file)
      ? readFileSync(file, "utf8").replace(/\n?$/, "\n")
      : "# Secrets for local use. Never committed; delete the file to get new ones.\n";
    const added = missing.map((name) => `${name}="${randomBytes(32).toString("hex")}"\n`);
    writeFileSync(file, before + added.join(""), { mode: 0o600 });
    chmodSync(file, 0o600);
    return [relative(file)];
  });
}
