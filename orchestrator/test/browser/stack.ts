import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createClient, type Client } from "@shared/client";

const ROOT = path.resolve(import.meta.dirname, "../../..");

/** What `npm start` starts, with a store of its own. */
export interface Stack {
  url: string;
  token: string;
  /** Where its store is. */
  data: string;
  client: Client;
  /** Ends it, with everything it started; the store stays. */
  stop(): Promise<void>;
  /** The same store at the same address again. */
  start(): Promise<void>;
  /** Ends it and takes the store away. */
  remove(): Promise<void>;
}

interface Ready {
  url: string;
  token: string;
}

/** Runs `npm start` until it says that it is ready. Without schedules: they would end the executions that tests put there. */
function run(data: string, port: number): Promise<{ child: ChildProcess; ready: Ready }> {
  const script = path.join(ROOT, "scripts/bootstrap.mjs");
  const child = spawn(
    process.execPath,
    [script, "start", "--json", "--no-cron", "--port", String(port), "--data", data],
    {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  return new Promise((resolve, reject) => {
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (said += chunk));
    let out = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      out += chunk;
      const line = out.split("\n").find((each) => each.startsWith("{"));
      if (line !== undefined && out.includes("\n")) resolve({ child, ready: JSON.parse(line) as Ready });
    });
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`npm start ended with ${code}: ${said.slice(-2_000)}`)));
  });
}

export async function startStack(): Promise<Stack> {
  const data = mkdtempSync(path.join(tmpdir(), "vibehq-browser-"));
  let { child, ready } = await run(data, 0);
  const { url, token } = ready;
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await ended;
  };
  return {
    url,
    token,
    data,
    client: createClient({ url, token }),
    stop,
    start: async () => {
      ({ child } = await run(data, Number(new URL(url).port)));
    },
    remove: async () => {
      await stop();
      rmSync(data, { recursive: true, force: true });
    },
  };
}
