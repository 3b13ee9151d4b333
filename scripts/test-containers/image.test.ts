import { readdirSync } from "node:fs";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { readDevVars } from "../devVars.ts";
import { ROOT } from "../repository.ts";
import { listTemplates } from "../start/engine.ts";
import { docker, inspect, tryDocker } from "./docker.ts";

const started: string[] = [];
const run = (...args: string[]): string => docker("run", "--rm", "--network", "none", ...args);
const start = (...args: string[]): string => {
  const id = docker(
    "run",
    "--detach",
    "--network",
    "none",
    "--health-interval",
    "500ms",
    "--env",
    "ENGINE_TOKEN=a-token",
    ...args,
  );
  started.push(id);
  return id;
};
const healthy = (id: string): Promise<void> =>
  expect
    .poll(() => inspect(id).health, { timeout: 60_000, interval: 500 })
    .toBe("healthy")
    .then(() => undefined);

/** Asks the host from inside, as there is no way in from outside. Answers with `[status, body]`. */
const ask = (id: string, method: string, route: string, body?: unknown): [number, unknown] => {
  const program = `const [,method,route,body]=process.argv;
    const answer=await fetch("http://127.0.0.1:8080"+route,{method,body:body||undefined,headers:{authorization:"Bearer a-token","content-type":"application/json"}});
    console.log(JSON.stringify([answer.status,await answer.json()]))`;
  const said = docker(
    "exec",
    id,
    "node",
    "--input-type=module",
    "-e",
    program,
    method,
    route,
    body === undefined ? "" : JSON.stringify(body),
  );
  return JSON.parse(said) as [number, unknown];
};
const open = (id: string, template: string) =>
  ask(id, "POST", "/v1/workspaces", { workspaceId: "w", source: { kind: "template", template } });

afterAll(() => {
  for (const id of started) docker("rm", "--force", id);
});

test("runs as a user who is not root and cannot change the programs", () => {
  expect(run("factory-base:local", "id", "-un")).toBe("node");
  const write = tryDocker(
    "run",
    "--rm",
    "--network",
    "none",
    "factory-base:local",
    "touch",
    "/opt/vibehq/patchctl/cli/patchctl.cjs",
  );
  expect(write.ok).toBe(false);
});

test("has what agents work with in PATH, and no package manager", () => {
  expect(run("factory-base:local", "git", "--version")).toContain("git version");
  expect(run("factory-base:local", "rg", "--version")).toContain("ripgrep");
  expect(run("factory-base:local", "patchctl", "--help")).toContain("replace-block");
  expect(run("factory-base:local", "node", "--version")).toMatch(/^v22\./);
  for (const absent of ["npm", "pnpm", "corepack"]) {
    expect(tryDocker("run", "--rm", "--network", "none", "factory-base:local", absent, "--version").ok, absent).toBe(
      false,
    );
  }
});

test("holds no secret, no source and no test", () => {
  const secrets = Object.values(readDevVars(path.join(ROOT, "orchestrator/.dev.vars")));
  expect(secrets.length).toBeGreaterThan(0);
  const described = docker("inspect", "factory-base:local") + docker("history", "--no-trunc", "factory-base:local");
  for (const secret of secrets) {
    expect(described).not.toContain(secret);
    expect(
      tryDocker(
        "run",
        "--rm",
        "--network",
        "none",
        "factory-base:local",
        "rg",
        "-uuu",
        "--fixed-strings",
        secret,
        "/opt",
        "/data",
        "/var/cache",
      ).stdout,
    ).toBe("");
  }
  const typescript = run("factory-base:local", "find", "/opt/vibehq", "-maxdepth", "1", "-name", "*.ts");
  expect(typescript).toBe("");
});

test("is refused without a token, and becomes healthy with one", async () => {
  const without = tryDocker("run", "--rm", "--network", "none", "factory-base:local");
  expect(without.ok).toBe(false);
  expect(without.stderr).toContain("ENGINE_TOKEN is required");
  await healthy(start("factory-base:local"));
});

test("no process in it shows the token that it was started with, and the host has it", async () => {
  const id = start("factory-base:local");
  await healthy(id);
  // What docker itself starts, as this shell and a health check, has the container's environment; it does not stay.
  const look = `for p in /proc/[0-9]*; do [ "$p" = "/proc/$$" ] && continue
    tr "\\0" "\\n" <"$p/environ" 2>/dev/null | grep -q "^ENGINE_TOKEN=" && echo "$p: $(tr "\\0" " " <"$p/cmdline")"; done
    tr "\\0" "\\n" </proc/1/environ | grep "^ENGINE_DATA="`;
  await expect.poll(() => docker("exec", id, "sh", "-c", look), { timeout: 20_000 }).toBe("ENGINE_DATA=/data");
  expect(docker("exec", id, "sh", "-c", 'tr "\\0" " " </proc/1/cmdline')).toContain("tini");
  expect(open(id, "agent-factory")[0]).toBe(200);
});

test("opens a workspace from each factory's template", async () => {
  const id = start("factory-base:local");
  await healthy(id);
  const templates = Object.keys(listTemplates());
  expect(templates.length).toBeGreaterThanOrEqual(4);
  for (const template of templates) {
    const [status, answer] = ask(id, "POST", "/v1/workspaces", {
      workspaceId: template,
      source: { kind: "template", template },
    });
    expect([status, answer]).toEqual([200, expect.objectContaining({ ok: true, created: true })]);
  }
});

test("stops gracefully, well before it is killed", async () => {
  const id = start("factory-base:local");
  await healthy(id);
  docker("stop", "--time", "20", id);
  expect(docker("inspect", "--format", "{{.State.ExitCode}}", id)).toBe("0");
});

test("a factory's image opens its own template and no other", async () => {
  for (const factory of readdirSync(path.join(ROOT, "apps")).filter((name) => name.endsWith("-factory"))) {
    const id = start(`${factory}:local`);
    await healthy(id);
    expect(open(id, factory === "ui-factory" ? "data-factory" : "ui-factory")).toEqual([
      422,
      expect.objectContaining({ error: expect.objectContaining({ code: "SOURCE_INVALID" }) }),
    ]);
    expect(open(id, factory)[0]).toBe(200);
  }
});
