import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { z } from "zod";

const hostProgram = fileURLToPath(new URL("../../containers/factory-base/bin/host.ts", import.meta.url));
const bundledNode = fileURLToPath(new URL("../../node_modules/node/bin/node", import.meta.url));

export interface EngineHostOptions {
  /** Template name → directory. */
  templates?: Record<string, string>;
  /** Directories that git, path and archive sources may be read from. */
  sourceRoots?: string[];
  /** Where workspaces live. Absent: a fresh directory, removed when the host is stopped or killed. */
  dataDir?: string;
  /** Joins and overrides the host's environment. */
  env?: Record<string, string>;
}

export interface EngineResponse {
  status: number;
  headers: Headers;
  /** The parsed JSON body; the text where it is not JSON. */
  body: unknown;
}

export interface RunningEngineHost {
  url: string;
  token: string;
  pid: number;
  dataDir: string;
  /** Calls the host with its token; `body` is sent as JSON. */
  request(method: string, path: string, body?: unknown): Promise<EngineResponse>;
  /** What the host has written to stderr so far: one JSON object a line. */
  stderr(): string;
  /** Settles once a line of stderr, written already or later, contains `text`. */
  logged(text: string): Promise<void>;
  /** Sends a signal and does not wait. */
  signal(signal: NodeJS.Signals): void;
  /** Settles when the process has ended. */
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** SIGTERM, then waits for the end. */
  stop(): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** SIGKILL, then waits for the end. */
  kill(): Promise<void>;
}

const ReadySchema = z.object({ ready: z.literal(true), url: z.url() });

/**
 * Starts the real engine host as its own process on the bundled node and a free port of the loopback interface.
 * Rejects, with what it wrote to stderr, when it ends before it is ready. The host ends with the process that started it.
 */
export async function startEngineHost(options: EngineHostOptions = {}): Promise<RunningEngineHost> {
  const token = options.env?.ENGINE_TOKEN ?? randomBytes(24).toString("hex");
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), "engine-host-")));
  const child = spawn(bundledNode, [hostProgram], {
    stdio: ["pipe", "pipe", "pipe"],
    env: {
      PATH: process.env.PATH ?? "",
      HOME: process.env.HOME ?? dataDir,
      TMPDIR: tmpdir(),
      ENGINE_PORT: "0",
      ENGINE_TOKEN: token,
      ENGINE_DATA: dataDir,
      ENGINE_STOP_WITH_STDIN: "1",
      ENGINE_TEMPLATES: Object.entries(options.templates ?? {})
        .map(([name, directory]) => `${name}=${directory}`)
        .join(","),
      ENGINE_SOURCE_ROOTS: (options.sourceRoots ?? []).join(delimiter),
      ...options.env,
    },
  });

  let stderr = "";
  const watchers = new Set<{ text: string; resolve: () => void }>();
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    stderr += chunk;
    for (const watcher of watchers) {
      if (!stderr.includes(watcher.text)) continue;
      watchers.delete(watcher);
      watcher.resolve();
    }
  });
  const exited = once(child, "close").then(async () => {
    if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
    return { code: child.exitCode, signal: child.signalCode };
  });

  const firstLine = once(createInterface({ input: child.stdout }), "line").then(([line]) => String(line));
  const line = await Promise.race([
    firstLine,
    exited.then(({ code, signal }) => {
      throw new Error(`the engine host ended before it was ready (${signal ?? code}): ${stderr}`);
    }),
  ]);
  const { url } = ReadySchema.parse(JSON.parse(line));
  const { pid } = child;
  if (pid === undefined) throw new Error("the engine host has no process id");

  return {
    url,
    token,
    pid,
    dataDir,
    async request(method, path, body) {
      const response = await fetch(new URL(path, url), {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      const isJson = /json/.test(response.headers.get("content-type") ?? "");
      return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
    },
    stderr: () => stderr,
    logged: (text) =>
      new Promise((resolve) => {
        if (stderr.includes(text)) resolve();
        else watchers.add({ text, resolve });
      }),
    signal: (signal) => {
      child.kill(signal);
    },
    exited,
    stop: async () => {
      child.kill("SIGTERM");
      return exited;
    },
    kill: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
