import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import {
  type AgentRunEvent,
  type AgentRunInfo,
  type AgentRunRequest,
  AgentRunRequestSchema,
  GENESIS_HEAD,
  NO_USAGE,
  problemOf,
  vibeError,
} from "@shared/contracts";
import { type AgentScript, AgentScriptSchema } from "../rpc/agentScript.ts";

interface Run {
  info: AgentRunInfo;
  events: AgentRunEvent[];
  script: AgentScript;
  starts: number;
  /** The key it was started with, and what it was told to keep to itself beside it. */
  apiKey: string;
  redact: string[];
  changed: PromiseWithResolvers<void>;
}

/**
 * An engine host whose agents do as the prompt says: `SCRIPT {…}` holds, for each provider, what its first, second …
 * attempt comes to. It speaks the protocol of agent runs and hands everything else on to a real host. `/__agents/*`
 * steers it: what was started, letting a held run go on, losing one, not answering for one.
 */
export async function startAgentHost(engineUrl: string): Promise<{ url: string; stop(): void }> {
  const runs = new Map<string, Run>();
  /** Parts of run ids for which the host does not answer. */
  const silent = new Set<string>();
  /** Parts of run ids for which it has no place. */
  const full = new Set<string>();
  const lost = new Set<string>();
  let asked = 0;

  const start = (request: AgentRunRequest, workspaceId: string): Run => {
    const attempt = Number(request.runId.split(".").at(-1));
    // A prompt holds no secrets: scripts name them.
    const other = request.redact.find((secret) => secret.startsWith("canary-key-of-claude")) ?? "";
    const text = /SCRIPT (\{.*\})/.exec(request.prompt)?.[1] ?? "{}";
    const scripts = JSON.parse(text.replaceAll("%KEY%", request.apiKey).replaceAll("%OTHER%", other));
    const own: unknown[] = scripts[request.provider] ?? [];
    const known = [...runs.values()].filter(
      ({ info }) => info.provider === request.provider && info.runId.startsWith(`${request.runId.split(".")[0]}.`),
    ).length;
    const script = AgentScriptSchema.parse(own[Math.min(known, own.length - 1)] ?? { class: "empty-diff" });
    const run: Run = {
      info: {
        runId: request.runId,
        workspaceId,
        provider: request.provider,
        model: request.model,
        taskId: request.taskId,
        orderId: request.orderId,
        state: "running",
        startedAt: new Date().toISOString(),
        endedAt: null,
        base: { head: GENESIS_HEAD, treeHash: "0".repeat(64), commit: `commit-of-${attempt}` },
        cliVersion: "1.2.3",
        seq: 0,
        result: null,
      },
      events: [],
      script,
      starts: 1,
      apiKey: request.apiKey,
      redact: request.redact,
      changed: Promise.withResolvers(),
    };
    for (const text of script.output) say(run, { type: "terminal_output", stream: "stdout", text });
    runs.set(request.runId, run);
    if (!script.hold) end(run, script.class);
    return run;
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? "/", "http://host");
    const body = (await buffer(request)).toString();
    if (url.pathname.startsWith("/__agents/")) {
      response.end(JSON.stringify(control(url.pathname.slice("/__agents/".length), JSON.parse(body || "{}"))));
      return;
    }
    const [, workspace = "", runPath] = /^\/v1\/workspaces\/([^/]+)\/agent-runs(.*)$/.exec(url.pathname) ?? [];
    if (runPath === undefined) {
      const answer = await fetch(`${engineUrl}${request.url}`, {
        method: request.method ?? "GET",
        headers: { authorization: request.headers.authorization ?? "", "content-type": "application/json" },
        ...(body === "" ? {} : { body }),
      });
      response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "application/json" });
      response.end(Buffer.from(await answer.arrayBuffer()));
      return;
    }
    const posted = request.method === "POST" ? AgentRunRequestSchema.parse(JSON.parse(body)) : null;
    const runId = posted?.runId ?? decodeURIComponent(runPath.split("/")[1] ?? "");
    asked += 1;
    if ([...silent].some((part) => runId.includes(part))) {
      request.socket.destroy();
      return;
    }
    const known = runs.get(runId);
    if (posted && !known && [...full].some((part) => runId.includes(part))) {
      const error = vibeError("RATE_LIMITED", "4 runs go on here already");
      response.writeHead(429, { "content-type": "application/problem+json" }).end(JSON.stringify(problemOf(error)));
      return;
    }
    const run =
      lost.has(runId) && !posted
        ? undefined
        : (known ?? (posted ? start(posted, decodeURIComponent(workspace)) : undefined));
    if (posted && known && lost.has(runId)) known.starts += 1;
    if (!run) {
      const error = vibeError("RUN_NOT_FOUND", "there is no such run");
      response.writeHead(404, { "content-type": "application/problem+json" }).end(JSON.stringify(problemOf(error)));
      return;
    }
    if (posted && run.script.lostAnswer) {
      run.script.lostAnswer = false;
      request.socket.destroy();
      return;
    }
    if (request.method === "DELETE") end(run, "cancelled");
    if (runPath.endsWith("/events")) {
      const after = Number(url.searchParams.get("after"));
      // Bounded by what happens, not by the clock: a held run says something when it is let go or told to end.
      if (run.info.result === null && run.info.seq <= after) await run.changed.promise;
      response.writeHead(200, { "content-type": "application/x-ndjson" });
      response.end(
        run.events
          .filter(({ seq }) => seq > after)
          .map((event) => `${JSON.stringify(event)}\n`)
          .join(""),
      );
      return;
    }
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(run.info));
  };

  const control = (name: string, input: { runId?: string; execution?: string }): unknown => {
    const run = runs.get(input.runId ?? "");
    switch (name) {
      case "runs":
        return [...runs.values()]
          .filter(({ info }) => info.runId.startsWith(`${input.execution}.`))
          .map(({ info, starts, apiKey, redact }) => ({
            runId: info.runId,
            provider: info.provider,
            state: info.state,
            class: info.result?.class ?? null,
            starts,
            apiKey,
            redact,
          }));
      case "release":
        if (run) end(run, run.script.class);
        return {};
      case "lose":
        lost.add(input.runId ?? "");
        run?.changed.resolve();
        return {};
      case "fill":
        full.add(input.runId ?? "");
        return {};
      case "empty":
        full.delete(input.runId ?? "");
        return {};
      case "silence":
        silent.add(input.runId ?? "");
        return {};
      case "speak":
        silent.delete(input.runId ?? "");
        return {};
      default:
        return { asked };
    }
  };

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the agent host has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

type Said = AgentRunEvent extends infer Event
  ? Event extends AgentRunEvent
    ? Omit<Event, "seq" | "ts">
    : never
  : never;

function say(run: Run, event: Said): void {
  const seq = run.info.seq + 1;
  run.info = { ...run.info, seq };
  run.events.push({ ...event, seq, ts: new Date().toISOString() });
}

function end(run: Run, how: AgentScript["class"]): void {
  if (run.info.result !== null) return;
  const { script } = run;
  say(run, { type: "state", state: "ended" });
  run.info = {
    ...run.info,
    state: "ended",
    endedAt: new Date().toISOString(),
    result: {
      class: how,
      message: script.message,
      exitCode: 0,
      signal: null,
      retryAfterMs: script.retryAfterMs,
      diff: how === "change" ? script.diff : null,
      files: [],
      summary: script.summary,
      usage: script.usage ?? NO_USAGE,
      durationMs: 5,
      outputBytes: 0,
      engineBatches: 0,
    },
  };
  run.changed.resolve();
}
