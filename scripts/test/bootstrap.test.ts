import { spawn } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ROOT } from "../repository.ts";

/**
 * The real bootstrap.mjs in a small workspace of its own. Only npm is stood in for: it notes that it was called, and
 * leaves what an install leaves, or fails as it does without a network.
 */
describe("bootstrap", () => {
  let root: string;
  const file = (name: string): string => path.join(root, name);
  const installs = (): string[] =>
    existsSync(file("npm.log")) ? readFileSync(file("npm.log"), "utf8").trim().split("\n") : [];

  const npmThat = (does: string): void => {
    writeFileSync(file("bin/npm"), `#!/bin/sh\necho "$@" >> "${file("npm.log")}"\n${does}\n`);
    chmodSync(file("bin/npm"), 0o755);
  };
  const run = (...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> =>
    new Promise((resolve, reject) => {
      const env = { ...process.env, PATH: `${file("bin")}:${process.env.PATH ?? ""}` };
      const child = spawn(process.execPath, [file("scripts/bootstrap.mjs"), ...args], { env, cwd: tmpdir() });
      let stdout = "";
      let stderr = "";
      child.stdout.on("data", (chunk) => (stdout += chunk));
      child.stderr.on("data", (chunk) => (stderr += chunk));
      child.once("error", reject);
      child.once("close", (code) => resolve({ code, stdout, stderr }));
    });

  beforeEach(() => {
    root = path.join(mkdtempSync(path.join(tmpdir(), "bootstrap-")), "a folder with spaces");
    for (const folder of ["bin", "scripts", "apps/tea"]) mkdirSync(file(folder), { recursive: true });
    copyFileSync(path.join(ROOT, "scripts/bootstrap.mjs"), file("scripts/bootstrap.mjs"));
    writeFileSync(
      file("scripts/sayHello.ts"),
      "console.log(JSON.stringify({ args: process.argv.slice(2), path: process.env.PATH }));",
    );
    writeFileSync(file("scripts/endBadly.ts"), "process.exit(7);");
    writeFileSync(file("pnpm-workspace.yaml"), 'packages:\n  - "apps/*"\n\ncatalog:\n  node: 22.1.2\n  pnpm: 12.3.4\n');
    writeFileSync(file("pnpm-lock.yaml"), "lockfileVersion: 9\n");
    writeFileSync(file("package.json"), "{}");
    writeFileSync(file("apps/tea/package.json"), '{ "dependencies": { "leaf": "1" } }');
    npmThat(`mkdir -p node_modules/.bin apps/tea/node_modules && ln -sf "${process.execPath}" node_modules/.bin/node`);
  });
  afterEach(() => rmSync(path.dirname(root), { recursive: true, force: true }));

  test("installs with the versions the catalog pins, then runs the task on the installed Node, first in PATH", async () => {
    const { code, stdout } = await run("say-hello", "--loud", "two words");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      args: ["--loud", "two words"],
      path: expect.stringMatching(/^[^:]*node_modules\/\.bin:/),
    });
    expect(installs()).toHaveLength(1);
    expect(installs()[0]).toMatch(/--package=node@22\.1\.2 --package=pnpm@12\.3\.4 -- pnpm install --frozen-lockfile/);
  });

  test("does not install again while nothing changed", async () => {
    await run("say-hello");
    expect((await run("say-hello")).stderr).toBe("");
    expect(installs()).toHaveLength(1);
  });

  test.each([
    ["the lockfile changed", () => writeFileSync(file("pnpm-lock.yaml"), "lockfileVersion: 10\n")],
    ["a manifest changed", () => writeFileSync(file("apps/tea/package.json"), '{ "dependencies": { "leaf": "2" } }')],
    ["a package lost its modules", () => rmSync(file("apps/tea/node_modules"), { recursive: true })],
    ["node_modules is gone", () => rmSync(file("node_modules"), { recursive: true })],
  ])("installs again when %s", async (_why, change) => {
    await run("say-hello");
    change();
    expect((await run("say-hello")).code).toBe(0);
    expect(installs()).toHaveLength(2);
  });

  test("commands started at once install once, and all of them run", async () => {
    const runs = await Promise.all([run("say-hello"), run("say-hello"), run("say-hello")]);
    expect(runs.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(installs()).toHaveLength(1);
  });

  test("a lock left by a process that died holds nobody up", async () => {
    const dead = spawn(process.execPath, ["-e", "0"]);
    await new Promise((resolve) => dead.once("close", resolve));
    writeFileSync(file(".install.lock"), String(dead.pid));
    expect((await run("say-hello")).code).toBe(0);
    expect(existsSync(file(".install.lock"))).toBe(false);
  });

  test("no network is one clear line and exit 1, and the next try installs", async () => {
    npmThat('echo "npm error code ENOTFOUND" >&2; exit 1');
    const { code, stdout, stderr } = await run("say-hello");
    expect(code).toBe(1);
    expect(stdout).toBe("");
    expect(stderr.trim().split("\n").at(-1)).toBe(
      "Cannot install: the package registry does not answer (ENOTFOUND). Check the network, then run this again.",
    );
    npmThat(`mkdir -p node_modules/.bin apps/tea/node_modules && ln -sf "${process.execPath}" node_modules/.bin/node`);
    expect((await run("say-hello")).code).toBe(0);
  });

  test("ends as its task ends", async () => {
    expect((await run("end-badly")).code).toBe(7);
  });

  test("an unknown task is refused in one line", async () => {
    const { code, stderr } = await run("brew-tea");
    expect(code).toBe(1);
    expect(stderr).toBe("There is no task brew-tea. See the scripts in package.json.\n");
  });

  test("fix-deps removes every node_modules before it installs", async () => {
    await run("say-hello");
    writeFileSync(file("apps/tea/node_modules/stale"), "");
    expect((await run("fix-deps")).code).toBe(0);
    expect(existsSync(file("apps/tea/node_modules/stale"))).toBe(false);
    expect(installs()).toHaveLength(2);
  });
});
