import type { AgentRunResult, CliProvider, EngineAnswer } from "@shared/contracts";
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

/** What the host counts, in Prometheus' text format. Every label takes its values from a fixed list. */
export interface Metrics {
  contentType: string;
  text(): Promise<string>;
  batch(kind: BatchKind, answer: EngineAnswer, seconds: number): void;
  opened(kind: string, result: "created" | "existing" | "refused"): void;
  agentRun(provider: CliProvider, result: AgentRunResult): void;
  /** `route` is the pattern a request met, never its path. */
  request(method: string, route: string, status: number): void;
}

export type BatchKind = "apply" | "simulate" | "revert";

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

export function createMetrics(counts: {
  openEngines: () => number;
  workspaces: () => Promise<number>;
  running: () => number;
  agentRuns: () => number;
}): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const batches = new Counter({
    name: "vibehq_engine_batches_total",
    help: "Batches and reverts, by what became of them.",
    labelNames: ["kind", "outcome"],
    registers,
  });
  const refusals = new Counter({
    name: "vibehq_engine_refusals_total",
    help: "Batches and reverts that were refused, by error code.",
    labelNames: ["kind", "code"],
    registers,
  });
  const durations = new Histogram({
    name: "vibehq_engine_batch_seconds",
    help: "From the request's body being read to the answer.",
    labelNames: ["kind"],
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers,
  });
  const opened = new Counter({
    name: "vibehq_engine_workspace_opens_total",
    help: "Requests to open a workspace, by kind of source and result.",
    labelNames: ["kind", "result"],
    registers,
  });
  const requests = new Counter({
    name: "vibehq_engine_http_requests_total",
    help: "HTTP requests, by route pattern.",
    labelNames: ["method", "route", "status"],
    registers,
  });
  const agentRuns = new Counter({
    name: "vibehq_agent_runs_total",
    help: "Runs of CLI agents that have ended, by how.",
    labelNames: ["provider", "class"],
    registers,
  });
  const agentSeconds = new Histogram({
    name: "vibehq_agent_run_seconds",
    help: "From the start of a run to its result.",
    labelNames: ["provider"],
    buckets: [1, 5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200],
    registers,
  });
  const gauge = (name: string, help: string, value: () => number | Promise<number>) =>
    new Gauge({
      name,
      help,
      registers,
      async collect() {
        this.set(await value());
      },
    });
  gauge("vibehq_engine_open_engines", "Engines held open.", counts.openEngines);
  gauge("vibehq_engine_workspaces", "Workspaces on this host's disk.", counts.workspaces);
  gauge("vibehq_engine_running_requests", "Requests that are being worked on.", counts.running);
  gauge("vibehq_agent_runs_running", "Runs of CLI agents that go on.", counts.agentRuns);

  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    batch(kind, answer, seconds) {
      const outcome = answer.ok ? (answer.outcome?.status ?? "applied") : "refused";
      batches.inc({ kind, outcome });
      if (answer.error) refusals.inc({ kind, code: answer.error.code });
      durations.observe({ kind }, seconds);
    },
    agentRun(provider, result) {
      agentRuns.inc({ provider, class: result.class });
      agentSeconds.observe({ provider }, result.durationMs / 1000);
    },
    opened: (kind, result) => opened.inc({ kind, result }),
    request: (method, route, status) =>
      requests.inc({ method: METHODS.has(method) ? method : "OTHER", route, status: String(status) }),
  };
}
