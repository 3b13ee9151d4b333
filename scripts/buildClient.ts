import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { ROOT } from "./repository.ts";

const FOLDER = path.join(ROOT, "orchestrator");
const OUTPUT = path.join(FOLDER, "dist/client");
/** Beside the output and not in it, so that it is never served. */
const MARKER = path.join(FOLDER, "dist/client.inputs");

const INPUTS = [
  "orchestrator/{index.html,vite.config.ts,package.json}",
  "orchestrator/{src,public}/**/*.*",
  "@shared/{client,contracts}/*.ts",
  "containers/patch-engine/core/*.ts",
  "pnpm-lock.yaml",
];

function fingerprint(): string {
  const hash = createHash("sha256");
  for (const file of globSync(INPUTS, { cwd: ROOT }).toSorted()) {
    hash
      .update(`${file}\0`)
      .update(readFileSync(path.join(ROOT, file)))
      .update("\0");
  }
  return hash.digest("hex");
}

export class BuildError extends Error {}

/**
 * Builds Mission Control into the folder that the orchestrator serves, unless it was built from the same inputs.
 * Throws BuildError with what the build said.
 */
export async function buildClient(): Promise<"built" | "current"> {
  const inputs = fingerprint();
  const built = existsSync(path.join(OUTPUT, "index.html")) && existsSync(MARKER);
  if (built && readFileSync(MARKER, "utf8") === inputs) return "current";
  mkdirSync(OUTPUT, { recursive: true });
  const { code, said } = await run([path.join(FOLDER, "node_modules/vite/bin/vite.js"), "build", "--logLevel", "warn"]);
  if (code !== 0) throw new BuildError(`Mission Control cannot be built:\n${said.trim()}`);
  writeFileSync(MARKER, inputs);
  return "built";
}

function run(args: string[]): Promise<{ code: number | null; said: string }> {
  return new Promise((resolve, reject) => {
    // A test runner's NODE_ENV would build React for development.
    const env = { ...process.env, NODE_ENV: "production" };
    const child = spawn(process.execPath, args, { cwd: FOLDER, stdio: ["ignore", "pipe", "pipe"], env });
    let said = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (chunk: string) => (said += chunk));
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, said }));
  });
}
