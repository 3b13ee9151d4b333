import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  AgentRunEventSchema,
  AgentRunInfoSchema,
  type AgentRunEvent,
  type AgentRunInfo,
  type AgentRunRequestInput,
} from "@shared/contracts";
import type { RunningEngineHost } from "@shared/testing";
import { expect } from "vitest";
import { openWorkspace, startHost, workspacePath, type TestHost } from "./host.ts";
import { temporaryDirectory, writeTree } from "./tree.ts";

export const KEY = "canary-7Q9zK2mXw4Vb8Rt1-Lp5";
export const WORKSPACE = "agents";

const FILES = {
  "src/a.ts": "export const one = 1;\n",
  "src/b.ts": "export const other = 'b';\n",
  ".gitignore": "ignored/\n",
  "ignored/kept.txt": "tracked all the same\n",
};

/** A shell script that stands in for an agent. Its own environment tells it where it is. */
export async function agentProgram(script: string): Promise<string> {
  const path = join(await temporaryDirectory(), "agent");
  await writeFile(path, `#!/bin/bash\nif [ "$1" = --version ]; then echo "stub 1.2.3"; exit 0; fi\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

/** A host whose Cursor is the script, with one workspace open. */
export async function hostWithAgent(
  script: string,
  options: { env?: Record<string, string>; files?: Record<string, string>; dataDir?: string } = {},
): Promise<TestHost> {
  const program = await agentProgram(script);
  const env = { AGENT_PROGRAMS: `cursor=${program}`, ...options.env };
  const host = await startHost({ env, ...(options.dataDir !== undefined && { dataDir: options.dataDir }) });
  const source = join(host.root, "source");
  await mkdir(source, { recursive: true });
  await writeTree(source, options.files ?? FILES);
  await openWorkspace(host, WORKSPACE, { kind: "path", path: source });
  return host;
}

const runPath = (runId = "", rest = ""): string =>
  workspacePath(WORKSPACE, `/agent-runs${runId === "" ? "" : `/${encodeURIComponent(runId)}`}${rest}`);

export function requestOf(input: Partial<AgentRunRequestInput> = {}): AgentRunRequestInput {
  return { runId: "run-1", provider: "cursor", prompt: "Add a constant", apiKey: KEY, ...input };
}

export const postRun = (host: RunningEngineHost, input: Partial<AgentRunRequestInput> = {}) =>
  host.request("POST", runPath(), requestOf(input));

export async function startRun(
  host: RunningEngineHost,
  input: Partial<AgentRunRequestInput> = {},
): Promise<AgentRunInfo> {
  const { status, body } = await postRun(host, input);
  expect({ status, body }).toMatchObject({ status: 200 });
  return AgentRunInfoSchema.parse(body);
}

export async function infoOf(host: RunningEngineHost, runId = "run-1"): Promise<AgentRunInfo> {
  return AgentRunInfoSchema.parse((await host.request("GET", runPath(runId))).body);
}

export async function cancelRun(host: RunningEngineHost, runId = "run-1"): Promise<AgentRunInfo> {
  return AgentRunInfoSchema.parse((await host.request("DELETE", runPath(runId))).body);
}

/** One answer of the host: what the run says from `after` on, as far as it goes. */
export async function eventsPage(host: RunningEngineHost, runId = "run-1", after = 0) {
  const response = await fetch(new URL(runPath(runId, `/events?after=${after}&waitMs=120000`), host.url), {
    headers: { authorization: `Bearer ${host.token}` },
  });
  expect(response.status).toBe(200);
  const text = await response.text();
  const lines = text.split("\n").filter(Boolean);
  return { bytes: Buffer.byteLength(text), events: lines.map((line) => AgentRunEventSchema.parse(JSON.parse(line))) };
}

/** What the run says from `after` on, until it ends. */
export async function eventsOf(host: RunningEngineHost, runId = "run-1", after = 0): Promise<AgentRunEvent[]> {
  const events: AgentRunEvent[] = [];
  for (;;) {
    const page = await eventsPage(host, runId, events.at(-1)?.seq ?? after);
    events.push(...page.events);
    const last = events.at(-1);
    if (page.events.length === 0 || (last?.type === "state" && last.state === "ended")) return events;
  }
}

/** The run's events as they come; stops to listen when `enough` says so. */
export async function eventsUntil(
  host: RunningEngineHost,
  enough: (events: AgentRunEvent[]) => boolean,
  runId = "run-1",
): Promise<AgentRunEvent[]> {
  const leaving = new AbortController();
  const response = await fetch(new URL(runPath(runId, "/events?waitMs=120000"), host.url), {
    headers: { authorization: `Bearer ${host.token}` },
    signal: leaving.signal,
  });
  const events: AgentRunEvent[] = [];
  let rest = "";
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    events.push(...lines.filter(Boolean).map((line) => AgentRunEventSchema.parse(JSON.parse(line))));
    if (enough(events)) break;
  }
  leaving.abort();
  return events;
}

/** Starts a run and waits for its end. */
export async function runToEnd(
  host: RunningEngineHost,
  input: Partial<AgentRunRequestInput> = {},
): Promise<{ info: AgentRunInfo; result: NonNullable<AgentRunInfo["result"]>; events: AgentRunEvent[] }> {
  const { runId } = await startRun(host, input);
  const events = await eventsOf(host, runId);
  const info = await infoOf(host, runId);
  expect(info.state).toBe("ended");
  return { info, result: info.result!, events };
}

export const textOf = (events: readonly AgentRunEvent[]): string =>
  events.map((event) => ("text" in event ? event.text : "command" in event ? event.command : "")).join("");

/** The processes whose command line holds a text. */
export async function processesWith(text: string): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
      return line.includes(text) ? [Number(pid)] : [];
    }),
  );
  return found.flat();
}

/** Names and contents of all that the host keeps of runs. */
export async function leftOfRuns(host: { dataDir: string }): Promise<Record<string, string>> {
  const root = join(host.dataDir, "agent-runs");
  const left: Record<string, string> = {};
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) left[path.slice(root.length + 1)] = await readFile(path, "latin1");
  }
  return left;
}
