import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { commitOf } from "../deployment/commit.ts";
import { deploy } from "../deployment/deploy.ts";
import { deployedConfig, readSettings, SettingsSchema } from "../deployment/settings.ts";
import type { Ran, RunWrangler } from "../deployment/wrangler.ts";
import { listWorkers, ROOT } from "../repository.ts";

const ID = "3f2b6c1e-9d7a-4f64-8a9b-0c1d2e3f4a5b";
const [orchestrator, ...apps] = listWorkers();
const DATABASES = (orchestrator?.config.d1_databases ?? []).map(({ binding }) => binding);
const PartsSchema = z.looseObject({
  queues: z.object({
    producers: z.array(z.looseObject({ queue: z.string() })),
    consumers: z.array(z.looseObject({ queue: z.string() })),
  }),
  r2_buckets: z.array(z.looseObject({ bucket_name: z.string() })),
});
const settings = SettingsSchema.parse({
  instance: "production",
  url: "https://vibehq.example.com",
  containers: true,
  databases: Object.fromEntries(DATABASES.map((binding) => [binding, ID])),
});
const TARGET = path.join(ROOT, "orchestrator/wrangler.deploy.jsonc");
/** In an order in which each finds what it binds. */
const FACTORIES = apps.map(({ name }) => name);

let said: string[];
let calls: string[][];
/** The orchestrator's configuration as it stood at each of its deployments. */
let configs: string[];
/** Secrets that were uploaded, by Worker; the files they came in, and who could read those. */
let uploads: Record<string, unknown>;
let secretFiles: string[];
let modes: number[];
let temporary: string;
beforeEach(() => {
  said = [];
  calls = [];
  configs = [];
  uploads = {};
  secretFiles = [];
  modes = [];
  temporary = mkdtempSync(path.join(tmpdir(), "deploy-"));
});
afterEach(() => rmSync(temporary, { recursive: true, force: true }));

const ran = (code: number, text: string): Ran => ({ code, said: text, stdout: text });

/** An account as wrangler shows it: what is there, and what fails. */
function account(
  state: {
    workers?: string[];
    secrets?: string[];
    missing?: string[];
    fails?: (args: readonly string[]) => string | null;
  } = {},
): RunWrangler {
  const {
    workers = ["vibehq-orchestrator", ...FACTORIES],
    secrets = ["ENGINE_TOKEN", "BOOTSTRAP_TOKEN", "SESSION_SECRET"],
    missing = [],
    fails = () => null,
  } = state;
  return async (args) => {
    calls.push([...args]);
    const failure = fails(args);
    if (failure !== null) return ran(1, `✘ [ERROR] ${failure}\n`);
    const name = args[args.indexOf("--name") + 1] ?? "";
    const isHere = workers.includes(name);
    if (args[0] === "deployments")
      return isHere ? ran(0, "[]") : ran(1, "✘ [ERROR] This Worker does not exist on your account. [code: 10007]");
    if (args[0] === "secret")
      return isHere
        ? ran(0, JSON.stringify(secrets.map((each) => ({ name: each, type: "secret_text" }))))
        : ran(1, 'Worker "x" not found.');
    if (args[0] === "queues" || args[0] === "r2")
      return missing.includes(args.at(-1) ?? "") ? ran(1, "does not exist") : ran(0, "");
    const secretFile = args[args.indexOf("--secrets-file") + 1];
    if (args.includes("--secrets-file") && secretFile !== undefined) {
      secretFiles.push(secretFile);
      modes.push(statSync(secretFile).mode & 0o777);
      uploads[path.basename(secretFile, ".json")] = JSON.parse(readFileSync(secretFile, "utf8"));
    }
    if (args[0] === "deploy" && args.includes("orchestrator/wrangler.deploy.jsonc"))
      configs.push(readFileSync(TARGET, "utf8"));
    return ran(0, "");
  };
}
const run = (wrangler: RunWrangler, more: Partial<Parameters<typeof deploy>[0]> = {}) =>
  deploy({
    settings,
    secretsFile: null,
    dryRun: false,
    commit: null,
    wrangler,
    say: (line) => said.push(line),
    validate: async () => true,
    ...more,
  });
/** What was changed: migrations by their binding, deployments by their configuration. */
const changes = () =>
  calls.flatMap((args) => {
    if (args[0] === "d1") return [`migrate ${args[3]}`];
    return args[0] === "deploy"
      ? [
          `deploy ${String(args[args.indexOf("--config") + 1])
            .split("/")
            .at(-2)}`,
        ]
      : [];
  });
const ALL = [
  ...DATABASES.map((binding) => `migrate ${binding}`),
  "deploy orchestrator",
  ...FACTORIES.map((name) => `deploy ${name}`),
];

describe("deploy", () => {
  test("goes in order: migrations, the orchestrator, its factories; with the ids and the name of this deployment", async () => {
    expect(await run(account())).toBe(0);
    expect(changes()).toEqual(ALL);
    expect(configs).toHaveLength(1);
    expect(configs[0]).toContain(ID);
    expect(configs[0]).not.toContain("00000000-0000");
    expect(configs[0]).toContain('"INSTANCE": "production"');
    expect(configs[0]).toContain("FactoryContainer");
    expect(existsSync(TARGET)).toBe(false);
    expect(said.at(-1)).toContain("Deployed production");
  });

  test("says of every Worker which commit it is; of what is no commit it says nothing", async () => {
    const commit = "c0ffee0000000000000000000000000000000000";
    const tags = () =>
      calls.flatMap((args) =>
        args[0] === "deploy" ? [args.includes("--tag") ? args[args.indexOf("--tag") + 1] : null] : [],
      );
    expect(await run(account(), { commit })).toBe(0);
    expect(tags()).toEqual(["orchestrator", ...FACTORIES].map(() => commit));
    calls = [];
    expect(await run(account())).toBe(0);
    expect(new Set(tags())).toEqual(new Set([null]));
  });

  test("a checkout is a commit's while nothing that git tracks was changed", () => {
    const git = (...args: string[]) => execFileSync("git", args, { cwd: temporary, encoding: "utf8" }).trim();
    expect(commitOf(temporary)).toBeNull();
    git("init", "-q");
    writeFileSync(path.join(temporary, "a.txt"), "a");
    git("add", ".");
    git("-c", "user.name=a", "-c", "user.email=a@b.test", "commit", "-q", "--no-verify", "-m", "first");
    writeFileSync(path.join(temporary, "deployment.jsonc"), "{}");
    expect(commitOf(temporary)).toBe(git("rev-parse", "HEAD"));
    writeFileSync(path.join(temporary, "a.txt"), "b");
    expect(commitOf(temporary)).toBeNull();
  });

  test("to an empty account: the orchestrator first without what is not there yet, at the end with all", async () => {
    const file = path.join(temporary, "secrets.env");
    writeFileSync(file, "ENGINE_TOKEN=a\nBOOTSTRAP_TOKEN=b\nSESSION_SECRET=c\nJULES_API_KEY=d\n");
    expect(await run(account({ workers: [] }), { secretsFile: file })).toBe(0);
    expect(changes()).toEqual([...ALL, "deploy orchestrator"]);
    const bound = configs.map((text) => FACTORIES.filter((name) => text.includes(`"service": "${name}"`)));
    expect(bound).toEqual([
      [],
      FACTORIES.filter((name) => orchestrator?.config.services?.some(({ service }) => service === name)),
    ]);
    expect(uploads).toEqual({
      "vibehq-orchestrator": { ENGINE_TOKEN: "a", BOOTSTRAP_TOKEN: "b", SESSION_SECRET: "c", JULES_API_KEY: "d" },
    });
    // They were in files that nobody else could read, and are gone.
    expect(secretFiles.filter((each) => existsSync(each))).toEqual([]);
    expect(modes).toEqual([0o600, 0o600]);
    expect(said.join()).not.toContain("JULES");
  });

  test("core-github-api is given its variables and secrets, of which the App's key is no other's", async () => {
    const file = path.join(temporary, "secrets.json");
    writeFileSync(file, JSON.stringify({ GITHUB_TOKEN: "t", GITHUB_APP_PRIVATE_KEY: "p", HEALTH_SECRET: "h" }));
    const vars = { GITHUB_REPOSITORIES: "acme/*", GITHUB_API_URL: "https://github.example.com/api" };
    const own = { ...settings, workers: { "core-github-api": vars } };
    expect(await run(account(), { secretsFile: file, settings: own })).toBe(0);
    expect(uploads).toEqual({
      "vibehq-orchestrator": { GITHUB_TOKEN: "t", HEALTH_SECRET: "h" },
      "core-github-api": { GITHUB_TOKEN: "t", GITHUB_APP_PRIVATE_KEY: "p" },
    });
    const deployed = calls.find((args) => args.includes("apps/core-github-api/wrangler.jsonc")) ?? [];
    expect(deployed.filter((_, at) => deployed[at - 1] === "--var")).toEqual([
      "GITHUB_REPOSITORIES:acme/*",
      "GITHUB_API_URL:https://github.example.com/api",
    ]);
    const unknown = { ...settings, workers: { "no-such-worker": {} } };
    expect(await run(account(), { settings: unknown })).toBe(1);
    expect(said.join("\n")).toContain("workers.no-such-worker: there is no such Worker");
  });

  test("core-cloudflare-api is given its account and its token, which no other Worker sees", async () => {
    const file = path.join(temporary, "cloudflare.json");
    writeFileSync(file, JSON.stringify({ CLOUDFLARE_API_TOKEN: "reads-logs", GITHUB_WEBHOOK_SECRET: "w" }));
    const own = { ...settings, workers: { "core-cloudflare-api": { CLOUDFLARE_ACCOUNT_ID: "a".repeat(32) } } };
    expect(await run(account(), { secretsFile: file, settings: own })).toBe(0);
    expect(uploads).toEqual({
      "vibehq-orchestrator": { GITHUB_WEBHOOK_SECRET: "w" },
      "core-cloudflare-api": { CLOUDFLARE_API_TOKEN: "reads-logs" },
    });
    const deployed = calls.find((args) => args.includes("apps/core-cloudflare-api/wrangler.jsonc")) ?? [];
    expect(deployed.filter((_, at) => deployed[at - 1] === "--var")).toEqual([
      `CLOUDFLARE_ACCOUNT_ID:${"a".repeat(32)}`,
    ]);
    expect(said.join("\n")).not.toContain("reads-logs");
  });

  test("a Worker goes after those it binds, with the secrets that it asks for and no others", async () => {
    const root = path.join(temporary, "checkout");
    const worker = (folder: string, config: object): void => {
      mkdirSync(path.join(root, folder), { recursive: true });
      writeFileSync(path.join(root, folder, "wrangler.jsonc"), JSON.stringify(config));
    };
    worker("orchestrator", { name: "vibehq-orchestrator", secrets: { required: ["SESSION_SECRET"] } });
    const bind = (service: string) => [{ binding: "OTHER", service }];
    worker("apps/a", { name: "a", services: [...bind("b"), ...bind("vibehq-orchestrator")] });
    worker("apps/b", { name: "b", services: bind("c"), secrets: { required: ["B_KEY"] } });
    worker("apps/c", { name: "c" });
    const file = path.join(temporary, "secrets.json");
    writeFileSync(file, JSON.stringify({ SESSION_SECRET: "s", B_KEY: "k", OTHER_KEY: "o" }));
    const small = { ...settings, containers: false, databases: {} };
    const wrangler = account({ workers: ["vibehq-orchestrator", "a", "b", "c"], secrets: [] });
    expect(await run(wrangler, { root, settings: small, secretsFile: file })).toBe(0);
    expect(changes()).toEqual(["deploy orchestrator", "deploy c", "deploy b", "deploy a"]);
    expect(uploads).toEqual({ "vibehq-orchestrator": { SESSION_SECRET: "s", OTHER_KEY: "o" }, b: { B_KEY: "k" } });
    rmSync(file);
    calls = [];
    expect(await run(wrangler, { root, settings: small })).toBe(1);
    expect(changes()).toEqual([]);
    expect(said.join("\n")).toContain("b: the secret B_KEY is not set");
  });

  test("changes nothing where anything is missing, and says all of it at once", async () => {
    expect(await run(account({ secrets: ["ENGINE_TOKEN"], missing: ["vibehq-alerts", "vibehq-reports"] }))).toBe(1);
    expect(changes()).toEqual([]);
    const text = said.join("\n");
    expect(text).toContain("Nothing was changed");
    for (const word of [
      "BOOTSTRAP_TOKEN",
      "SESSION_SECRET",
      "wrangler queues create vibehq-alerts",
      "wrangler r2 bucket create vibehq-reports",
    ])
      expect(text).toContain(word);
  });

  test("asks for each queue and bucket that a Worker is configured with, and the checklist names them all", async () => {
    const { queues, r2_buckets: buckets } = PartsSchema.parse(orchestrator?.config);
    const names = new Set([
      ...[...queues.producers, ...queues.consumers].map(({ queue }) => queue),
      ...buckets.map(({ bucket_name: bucket }) => bucket),
    ]);
    expect(names).toContain("vibehq-github");
    expect(await run(account({ missing: [...names] }))).toBe(1);
    const text = said.join("\n");
    const checklist = readFileSync(path.join(ROOT, "docs/deployment/worker-deployment-checklist.md"), "utf8");
    for (const name of names) {
      expect(text).toMatch(new RegExp(`wrangler (?:queues|r2 bucket) create ${name}$`, "m"));
      expect(checklist).toMatch(new RegExp(`[\` ]${name}\``));
    }
    for (const { database_name: name } of orchestrator?.config.d1_databases ?? []) expect(checklist).toContain(name);
    for (const secret of [...(orchestrator?.config.secrets?.required ?? []), "CLOUDFLARE_API_TOKEN"]) {
      expect(checklist).toContain(secret);
    }
  });

  test("without an account says so, and asks for nothing else", async () => {
    expect(
      await run(
        async (args) => (calls.push([...args]), ran(0, "You are not authenticated. Please run `wrangler login`.")),
      ),
    ).toBe(1);
    expect(calls).toEqual([["whoami"]]);
  });

  test("what cannot be asked is no absence: it does not deploy over what it does not see", async () => {
    expect(await run(account({ fails: (args) => (args[0] === "deployments" ? "fetch failed" : null) }))).toBe(1);
    expect(changes()).toEqual([]);
    expect(said.join("\n")).toContain("cannot be told whether it is there: fetch failed");
  });

  test.each(ALL.map((name, index) => [name, index] as const))(
    "stops where %s fails, does nothing after it, and says what stands",
    async (_, index) => {
      const fails = (args: readonly string[]) =>
        (args[0] === "d1" || args[0] === "deploy") && changes().length === index + 1
          ? "Authentication error [code: 10000]"
          : null;
      expect(await run(account({ fails }))).toBe(1);
      expect(changes()).toEqual(ALL.slice(0, index + 1));
      expect(said.filter((line) => line.startsWith("  ✓"))).toHaveLength(index);
      expect(said.filter((line) => line.startsWith("  ✗"))).toHaveLength(ALL.length + 1 - index);
      expect(said.join("\n")).toContain("Authentication error");
      expect(existsSync(TARGET)).toBe(false);
    },
  );

  test("a validation that does not hold fails it, with all Workers standing", async () => {
    expect(await run(account(), { validate: async () => false })).toBe(1);
    expect(said.filter((line) => line.startsWith("  ✓"))).toHaveLength(ALL.length);
  });

  test("a dry run uploads nothing, migrates nothing and asks for no account", async () => {
    expect(await run(account(), { dryRun: true, validate: async () => Promise.reject(new Error("asked")) })).toBe(0);
    expect(calls.every((args) => args[0] === "deploy" && args.includes("--dry-run"))).toBe(true);
    expect(calls).toHaveLength(1 + FACTORIES.length);
  });
});

describe("settings", () => {
  const example = path.join(ROOT, "docs/deployment/deployment.example.jsonc");
  test("the example lacks its ids alone, and says which", () => {
    const read = readSettings(example);
    expect(read.ok).toBe(false);
    if (!read.ok) expect(read.problems.map((line) => /databases\.(\w+)/.exec(line)?.[1])).toEqual(DATABASES);
    const filled = path.join(temporary, "deployment.jsonc");
    writeFileSync(filled, readFileSync(example, "utf8").replaceAll("00000000-0000-0000-0000-000000000000", ID));
    expect(readSettings(filled)).toMatchObject({ ok: true });
  });
  test.each([
    ["a local instance's name", { instance: "port-8787" }],
    ["an address without encryption", { url: "http://example.com" }],
    ["neither containers nor engine hosts", { containers: false }],
    ["both", { engineUrl: "https://engines.example.com" }],
    ["an unknown word", { instanceName: "x" }],
  ])("%s is refused", (_, change) => {
    const file = path.join(temporary, "deployment.jsonc");
    writeFileSync(file, JSON.stringify({ ...settings, ...change }));
    expect(readSettings(file)).toMatchObject({ ok: false });
  });
  test("a database without an id is named", () => {
    const text = readFileSync(path.join(ROOT, "orchestrator/wrangler.jsonc"), "utf8");
    const made = deployedConfig(text, { ...settings, databases: { DB_OPS: ID } }, new Set());
    expect(made).toEqual({
      ok: false,
      problems: DATABASES.filter((binding) => binding !== "DB_OPS").map((binding) => `databases.${binding}: no id`),
    });
  });
});
