import { spawn } from "node:child_process";
import { globSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";
import { ROOT } from "./repository.ts";

interface Step {
  name: string;
  command: string[];
  /** What mends it, where a command does. */
  mend?: string;
}

const script = (name: string): string[] => ["node", `scripts/${name}.ts`, "--check"];

/** The slowest first, so that the others fill in beside it. */
function listSteps(): Step[] {
  // A package's own tsconfig, and those of tests that run elsewhere than its code does.
  const projects = ["orchestrator", "apps/*", "@shared/*", "containers/*", "scripts"].flatMap((folder) =>
    globSync([`${folder}/{,src/,bench/}tsconfig.json`, `${folder}/{test,bench}/*/tsconfig.json`], { cwd: ROOT }),
  );
  return [
    { name: "lint", command: ["oxlint", "--type-aware", "--deny-warnings"], mend: "oxlint --type-aware --fix" },
    { name: "worker types", command: script("generateTypes"), mend: "npm run generate:types" },
    { name: "unused", command: ["knip", "--include", "files,dependencies,unlisted,unresolved,binaries"] },
    ...projects.toSorted().map((file) => ({ name: `types ${path.dirname(file)}`, command: ["tsc", "-p", file] })),
    { name: "openapi", command: script("exportOpenapi"), mend: "node scripts/exportOpenapi.ts" },
    { name: "database types", command: script("generateDatabase"), mend: "npm run db:generate" },
    { name: "schemas", command: script("exportSchemas"), mend: "node scripts/exportSchemas.ts" },
    { name: "wrangler", command: script("syncWrangler"), mend: "npm run sync:wrangler" },
    { name: "format", command: ["oxfmt", "--check"], mend: "npm run format" },
  ];
}

function runStep({ command: [program = "", ...args] }: Step): Promise<{ ok: boolean; said: string; ms: number }> {
  const started = performance.now();
  return new Promise((resolve) => {
    const child = spawn(path.join(ROOT, "node_modules/.bin", program), args, {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NODE_OPTIONS: "--disable-warning=ExperimentalWarning", NO_COLOR: "1" },
    });
    let said = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (chunk) => (said += chunk));
    const settle = (ok: boolean): void => resolve({ ok, said: said.trim(), ms: performance.now() - started });
    child.once("error", (error) => {
      said += error.message;
      settle(false);
    });
    child.once("close", (code) => settle(code === 0));
  });
}

/** `npm run problems [name …]`: every check, or those whose name starts so. All are run and shown; one failing fails it. */
const wanted = process.argv.slice(2);
const steps = listSteps().filter(({ name }) => wanted.length === 0 || wanted.some((start) => name.startsWith(start)));
const failed: string[] = [];
const queue = [...steps];
await Promise.all(
  Array.from({ length: Math.min(availableParallelism(), 4) }, async () => {
    for (let step = queue.shift(); step; step = queue.shift()) {
      const { ok, said, ms } = await runStep(step);
      console.log(`${ok ? "ok  " : "FAIL"} ${step.name} (${(ms / 1000).toFixed(1)} s)`);
      if (ok) continue;
      failed.push(step.name);
      if (said) console.log(said.replaceAll(/^/gm, "     "));
      if (step.mend) console.log(`     mend with: ${step.mend}`);
    }
  }),
);
if (steps.length === 0)
  console.log(
    `No check is named ${wanted.join(" or ")}. There are: ${listSteps()
      .map(({ name }) => name)
      .join(", ")}`,
  );
else
  console.log(
    failed.length === 0
      ? `No problems in ${steps.length} checks.`
      : `${failed.length} of ${steps.length} checks failed: ${failed.join(", ")}`,
  );
process.exitCode = failed.length === 0 && steps.length > 0 ? 0 : 1;
