import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { generateTypes } from "./generateTypes.ts";
import { ROOT } from "./repository.ts";
import { syncWrangler } from "./syncWrangler.ts";

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** The files of a Worker that answers with its name, and of its test: what `npm run problems` and `npm test` accept. */
function filesOf(name: string): Record<string, string> {
  return {
    "package.json": json({
      name,
      version: "0.1.0",
      private: true,
      type: "module",
      exports: {},
      scripts: { typecheck: "tsc -p tsconfig.json" },
      dependencies: { "@shared/worker-kit": "workspace:*" },
      devDependencies: {
        "@cloudflare/vitest-pool-workers": "catalog:",
        "@cloudflare/workers-types": "catalog:",
        vitest: "catalog:",
      },
    }),
    "tsconfig.json": json({
      extends: "../../tsconfig.base.json",
      compilerOptions: { types: ["@cloudflare/workers-types", "@cloudflare/vitest-pool-workers/types"] },
      include: ["**/*.ts"],
      exclude: ["node_modules"],
    }),
    "wrangler.jsonc": json({
      $schema: "../../node_modules/wrangler/config-schema.json",
      name,
      main: "worker/index.ts",
    }),
    "vitest.config.ts": `import { cloudflareTest } from "@cloudflare/vitest-pool-workers";
import { orchestratorStub } from "@shared/worker-kit/testing/config";
import { defineProject } from "vitest/config";

export default defineProject({
  plugins: [
    cloudflareTest({
      main: "./worker/index.ts",
      wrangler: { configPath: "./wrangler.jsonc" },
      miniflare: orchestratorStub,
    }),
  ],
  test: { name: "${name}", include: ["test/*.test.ts"], testTimeout: 120_000, hookTimeout: 120_000 },
});
`,
    "worker/index.ts": `import { appHealth, type AppHealthBindings, BaseHealthCheck, describeWorker } from "@shared/worker-kit";

type Bindings = Omit<Env, keyof AppHealthBindings> & AppHealthBindings;

/** What it is tested for; each binding it works with belongs into \`bindings\`. */
const healthOf = (env: Bindings) => appHealth(env, { worker: "${name}", type: "${name.endsWith("-api") ? "api" : "specialist"}", bindings: [] });

/** Whether it is well, for who is bound. */
export class HealthCheck extends BaseHealthCheck<Bindings> {
  protected readonly health = healthOf(this.env);
}

export default { fetch: describeWorker<Bindings>("${name}", healthOf) } satisfies ExportedHandler<Bindings>;
`,
    "test/worker.test.ts": `import { exports } from "cloudflare:workers";
import { expect, test } from "vitest";

test("tells its name", async () => {
  const response = await exports.default.fetch("http://worker/");
  expect(response.status).toBe(200);
  expect(await response.text()).toContain("${name}");
});

test("shows its health to nobody who does not sign", async () => {
  const response = await exports.default.fetch("http://worker/health-check/quick");
  expect(response.status).toBe(401);
});
`,
  };
}

/** Why a Worker cannot have this name, or null. */
export function refusalOf(name: string | undefined, root: string = ROOT): string | null {
  if (!name) return "Usage: npm run new:worker NAME";
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)+$/.test(name))
    return `${name} is no Worker's name: words in kebab-case, like core-github-api.`;
  if (name.endsWith("-factory")) {
    return `A factory answers to orders, so it starts in @shared/contracts: add ${name} to FACTORIES, then follow apps/ui-factory.`;
  }
  return existsSync(path.join(root, "apps", name)) ? `apps/${name} exists.` : null;
}

/** Writes the files alone; `npm run new:worker` also shares, types, formats and installs. */
export function writeWorker(name: string, root: string = ROOT): void {
  for (const [file, text] of Object.entries(filesOf(name))) {
    const target = path.join(root, "apps", name, file);
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, text);
  }
}

function runOrEnd(program: string, args: string[]): void {
  const { status } = spawnSync(path.join(ROOT, "node_modules/.bin", program), args, { cwd: ROOT, stdio: "inherit" });
  if (status === 0) return;
  console.error(`${program} ${args.join(" ")} failed; the new Worker is not complete.`);
  process.exit(1);
}

if (import.meta.main) {
  const name = process.argv[2] ?? "";
  const refusal = refusalOf(name);
  if (refusal !== null) {
    console.error(refusal);
    process.exit(1);
  }
  writeWorker(name);
  syncWrangler({ check: false });
  runOrEnd("oxfmt", [`apps/${name}`]);
  runOrEnd("pnpm", ["install", "--no-frozen-lockfile"]);
  const problems = generateTypes({ check: false });
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exit(1);
  console.log(`apps/${name} is there, with a test: node_modules/.bin/vitest run --project ${name}`);
}
