import { type ChildProcess, type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { ROOT } from "../repository.ts";
import { Child } from "../start/children.ts";

const ReadySchema = z.strictObject({ url: z.url(), token: z.string().min(1), engineUrl: z.url() });

const running: ChildProcess[] = [];
let data: string;
beforeEach(() => {
  data = mkdtempSync(path.join(tmpdir(), "start-"));
});
afterEach(async () => {
  // What a failed test left running ends here, so that it fails alone.
  for (const child of running.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const ended = once(child, "close");
    child.kill("SIGINT");
    await ended;
  }
  rmSync(data, { recursive: true, force: true });
});

const spawnStart = (args: string[]): ChildProcessByStdio<null, Readable, Readable> => {
  const flags = ["--disable-warning=ExperimentalWarning", path.join(ROOT, "scripts/start.ts")];
  const child = spawn(process.execPath, [...flags, ...args], { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  running.push(child);
  return child;
};

/** The real start.ts, to its end. */
const start = (...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> =>
  new Promise((resolve, reject) => {
    const child = spawnStart(args);
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

  test("says where it answers in one line of JSON, and Ctrl-C ends every child", { timeout: 180_000 }, async () => {
    const child = spawnStart(["--port", "0", "--data", data, "--json"]);
    let stdout = "";
    let stderr = "";
    child.stderr.on("data", (chunk) => (stderr += chunk));
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    const ready = new Promise<void>((resolve) => {
      child.stdout.on("data", (chunk) => {
        stdout += chunk;
        if (stdout.includes("\n")) resolve();
      });
    });
    await Promise.race([ready, ended.then((code) => Promise.reject(new Error(`ended with ${code}: ${stderr}`)))]);

    const { url, token, engineUrl } = ReadySchema.parse(JSON.parse(stdout));
    const orders = await fetch(`${url}/api/orders`, { headers: { authorization: `Bearer ${token}` } });
    expect(await orders.json()).toMatchObject({ orders: [{ id: "ORD-SAMPLE", status: "delivered" }] });
    expect((await fetch(`${engineUrl}/healthz`)).status).toBe(200);
    // The nightly run, by the door that the schedule of `npm start` uses: every order with events has its report then.
    const cron = encodeURIComponent("30 2 * * *");
    expect((await fetch(`${url}/cdn-cgi/local/scheduled?cron=${cron}`)).status).toBe(200);
    const reports = await fetch(`${url}/api/delivery/reports`, { headers: { authorization: `Bearer ${token}` } });
    expect(await reports.json()).toMatchObject({ ok: true, reports: [{ order_id: "ORD-SAMPLE" }] });
    expect(stdout.trim().split("\n")).toHaveLength(1);
    expect(stderr).toContain("Three things to try");
    expect(processesWith(data).length).toBeGreaterThan(1);

    child.kill("SIGINT");
    expect(await ended).toBe(130);
    expect(processesWith(data)).toEqual([]);
    await expect(fetch(`${url}/api/health`)).rejects.toThrow("fetch failed");
    await expect(fetch(`${engineUrl}/healthz`)).rejects.toThrow("fetch failed");
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

describe("an npm that is terminated", () => {
  test("takes what it started along, though its signal ends at the shell between", { timeout: 120_000 }, async () => {
    const bootstrap = path.join(ROOT, "scripts/bootstrap.mjs");
    // As npm does: a shell that waits for the script, and has not the signal to hand on.
    const shell = spawn(
      "sh",
      ["-c", '"$0" "$@"; :', process.execPath, bootstrap, "start", "--json", "--port", "0", "--data", data],
      {
        cwd: ROOT,
        stdio: ["ignore", "pipe", "pipe"],
        env: { ...process.env, npm_lifecycle_event: "start" },
      },
    );
    running.push(shell);
    const closed = once(shell, "close");
    shell.stderr.resume();
    const [line] = await once(shell.stdout, "data");
    const { url } = ReadySchema.parse(JSON.parse(String(line)));
    shell.kill("SIGKILL");
    // The pipes close with the last process that holds them.
    await closed;
    await expect(fetch(url)).rejects.toThrow("fetch failed");
  });
});
