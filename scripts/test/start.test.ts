import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ROOT } from "../repository.ts";
import { Child } from "../start/children.ts";

let data: string;
beforeEach(() => {
  data = mkdtempSync(path.join(tmpdir(), "start-"));
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

/** The real start.ts, to its end. */
const start = (...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> =>
  new Promise((resolve, reject) => {
    const flags = ["--disable-warning=ExperimentalWarning", path.join(ROOT, "scripts/start.ts")];
    const child = spawn(process.execPath, [...flags, ...args], { cwd: ROOT });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => (stdout += chunk));
    child.stderr.on("data", (chunk) => (stderr += chunk));
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });

/** Every process of this machine that has `text` in its command line. */
const processesWith = (text: string): string[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
        return command.includes(text) ? [command] : [];
      } catch {
        return []; // it ended while we looked
      }
    });

describe("npm start", () => {
  test("a port in use: one clear line, exit 1, nothing left behind", async () => {
    const server = createServer();
    const port = await new Promise<number>((resolve) => {
      server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port));
    });
    const { code, stdout, stderr } = await start("--port", String(port), "--data", data);
    server.close();
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: "",
      stderr: `Port ${port} is in use. End what listens there, or choose another with --port N.\n`,
    });
    expect(processesWith(data)).toEqual([]);
  });

  test("a broken store: one clear line, exit 1, nothing left behind", async () => {
    const file = path.join(data, "state/v3/d1/miniflare-D1DatabaseObject/broken.sqlite");
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, "x".repeat(4096));
    const { code, stdout, stderr } = await start("--port", "0", "--data", data);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^The store cannot be used: .*broken\.sqlite is not a database\.\n$/);
    expect(processesWith(data)).toEqual([]);
  });

  test("an unknown option: one clear line, exit 1", async () => {
    const { code, stderr } = await start("--tea");
    expect(code).toBe(1);
    expect(stderr).toMatch(/^Unknown option '--tea'.* Known: --once, .*\n$/);
  });
});

describe("a child", () => {
  const spawnChild = (script: string): Child =>
    new Child("a child", "/bin/sh", ["-c", script], { cwd: data, env: process.env, log: path.join(data, "log") });
  const firstLine = (child: Child): Promise<string> => new Promise((resolve) => child.onLine(resolve));

  test("ends with everything it started", async () => {
    const child = spawnChild(`sleep 1000.${process.pid} & echo started; wait`);
    await firstLine(child);
    expect(processesWith(`sleep 1000.${process.pid}`)).not.toEqual([]);
    await child.end();
    expect(processesWith(`sleep 1000.${process.pid}`)).toEqual([]);
  });

  test("that ignores SIGTERM is killed", async () => {
    const child = spawnChild(`trap '' TERM; echo deaf; while :; do sleep 0.1; done`);
    await firstLine(child);
    await child.end(0);
    expect(await child.exited).toBe(null);
  });
});
