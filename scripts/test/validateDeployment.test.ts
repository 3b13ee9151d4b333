import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { once } from "node:events";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { validate } from "../deployment/validate.ts";
import { ROOT } from "../repository.ts";

const ReadySchema = z.object({ url: z.string(), token: z.string() });
let child: ChildProcess;
let stack: z.infer<typeof ReadySchema>;
let data: string;

/** What `npm start` starts, with a store of its own. */
beforeAll(async () => {
  data = mkdtempSync(path.join(tmpdir(), "validate-"));
  const args = ["--disable-warning=ExperimentalWarning", path.join(ROOT, "scripts/start.ts")];
  const started = spawn(process.execPath, [...args, "--json", "--port", "0", "--data", path.join(data, "store")], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
  });
  child = started;
  let said = "";
  started.stderr.setEncoding("utf8").on("data", (chunk: string) => (said += chunk));
  stack = await new Promise((resolve, reject) => {
    let out = "";
    started.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      out += chunk;
      if (out.includes("\n")) resolve(ReadySchema.parse(JSON.parse(out)));
    });
    started.once("exit", (code) => reject(new Error(`npm start ended with ${code}: ${said.slice(-2_000)}`)));
  });
}, 180_000);
afterAll(async () => {
  if (child.exitCode === null) {
    const ended = once(child, "close");
    child.kill("SIGINT");
    await ended;
  }
  rmSync(data, { recursive: true, force: true });
}, 60_000);

async function validated(more: Partial<Parameters<typeof validate>[0]> = {}) {
  const said: string[] = [];
  const holds = await validate({ ...stack, say: (line) => said.push(line), ...more });
  return {
    holds,
    said,
    failed: said.filter((line) => line.startsWith("FAIL")).map((line) => line.slice(5).split(":")[0]),
  };
}

test(
  "what npm start started holds: health, doors, environment, migrations, each Worker, and a canary patch there and back",
  { timeout: 120_000 },
  async () => {
    const { holds, said } = await validated();
    expect(said.filter((line) => !line.startsWith("ok  "))).toEqual([`\n${stack.url} holds.`]);
    expect(said).toHaveLength(7);
    expect(holds).toBe(true);
    // Again, over what it left behind.
    expect((await validated()).holds).toBe(true);
  },
);

test(
  "a checkout that asks for more is told what is lacking there, and what is newer there",
  { timeout: 120_000 },
  async () => {
    const root = path.join(data, "checkout");
    mkdirSync(path.join(root, "orchestrator"), { recursive: true });
    symlinkSync(path.join(ROOT, "apps"), path.join(root, "apps"));
    cpSync(path.join(ROOT, "migrations"), path.join(root, "migrations"), { recursive: true });
    writeFileSync(path.join(root, "migrations/logs/9999_to_come.sql"), "SELECT 1;");
    rmSync(path.join(root, "migrations/ops/0310_alerts.sql"));
    const config = readFileSync(path.join(ROOT, "orchestrator/wrangler.jsonc"), "utf8");
    writeFileSync(
      path.join(root, "orchestrator/wrangler.jsonc"),
      config
        .replace('"binding": "ALERTS_QUEUE"', '"binding": "TEA_QUEUE"')
        .replace('"SESSION_SECRET"]', '"SESSION_SECRET", "TEA_SECRET"]')
        .replace('"ALLOWED_ORIGINS": ""', '"TEA_TIME": "five"'),
    );
    const { holds, said, failed } = await validated({ root });
    expect(holds).toBe(false);
    expect(failed).toEqual(["environment", "migrations"]);
    const text = said.join("\n");
    for (const word of [
      "the binding TEA_QUEUE is missing",
      "the secret TEA_SECRET is not set",
      "the variable TEA_TIME is not set",
      "DB_LOGS lacks 9999_to_come.sql",
      "DB_OPS has 0310_alerts.sql",
    ])
      expect(text).toContain(word);
  },
);

test("a token that is not an administrator's is told so; its value is never shown", async () => {
  const { holds, said, failed } = await validated({ token: "vhq_wrong" });
  expect(holds).toBe(false);
  expect(failed).toEqual(["environment", "migrations", "workers", "canary"]);
  expect(said.join("\n")).not.toContain("vhq_wrong");
});

test("a deployment that answers wrongly is told by what it does: parts away, open doors, a page without its policy, a patch that is refused", async () => {
  const lie: typeof fetch = async (input, init) => {
    const { pathname } = new URL(input instanceof Request ? input.url : String(input));
    if (pathname === "/api/health")
      return Response.json({
        ok: true,
        status: "degraded",
        components: { engine: { ok: false }, db_ops: { ok: true } },
      });
    if (pathname === "/api/orders") return Response.json({ ok: true, orders: [] });
    if (pathname === "/") return new Response('<div id="root"></div>');
    if (pathname === "/api/patches/apply") return new Response("oops", { status: 502 });
    return fetch(input, init);
  };
  const { said, failed } = await validated({ fetch: lie });
  expect(failed).toEqual(["health", "doors", "canary"]);
  const text = said.join("\n");
  for (const word of [
    "engine does not answer",
    "a caller without a token is answered 200",
    "without its policy",
    "applying the patch",
  ])
    expect(text).toContain(word);
});

test("an address that does not answer fails every check, in one line each", async () => {
  const { said, failed } = await validated({ url: "http://127.0.0.1:9" });
  expect(failed).toHaveLength(6);
  expect(said.join("\n")).not.toMatch(/\n\s+at /);
});

/** The process below this one whose command line says this. */
function processBelow(pid: number, says: string): number {
  const below = (parent: number): number[] =>
    readdirSync(`/proc/${parent}/task`).flatMap((task) =>
      readFileSync(`/proc/${parent}/task/${task}/children`, "utf8")
        .split(" ")
        .filter(Boolean)
        .map(Number)
        .flatMap((each) => [each, ...below(each)]),
    );
  const found = below(pid).find((each) => readFileSync(`/proc/${each}/cmdline`, "utf8").includes(says));
  if (found === undefined) throw new Error(`no process says ${says}`);
  return found;
}

test.runIf(process.platform === "linux")(
  "an engine host that hangs is named by every check that needs it, and by no other; once it goes on, all holds",
  { timeout: 240_000 },
  async () => {
    const engine = processBelow(child.pid ?? 0, "factory-base/bin/host.ts");
    process.kill(engine, "SIGSTOP");
    try {
      const { said, failed } = await validated({
        fetch: (input, init) => fetch(input, { ...init, signal: AbortSignal.timeout(15_000) }),
      });
      expect(failed).toEqual(["health", "workers", "canary"]);
      const text = said.join("\n");
      expect(text).toContain("engine does not answer");
      for (const name of ["vibehq-orchestrator", "agent-factory", "data-factory", "services-factory", "ui-factory"]) {
        expect(text).toContain(`${name}: ENGINE_FAILED`);
      }
      expect(text).not.toMatch(/core-\w+-api: /);
    } finally {
      process.kill(engine, "SIGCONT");
    }
    expect((await validated()).holds).toBe(true);
  },
);
