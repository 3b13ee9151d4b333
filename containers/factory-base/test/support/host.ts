import { join } from "node:path";
import { startEngineHost, type EngineHostOptions, type EngineResponse, type RunningEngineHost } from "@shared/testing";
import { EngineAnswerSchema, ProblemSchema, WorkspaceInfoSchema } from "@shared/contracts";
import type { EngineAnswer, PatchBatchInput, Problem, WorkspaceInfo, WorkspaceSource } from "@shared/contracts";
import { expect, onTestFinished } from "vitest";
import { z } from "zod";
import { temporaryDirectory } from "./tree.ts";

export interface TestHost extends RunningEngineHost {
  /** A directory below which sources may be read. */
  root: string;
}

/** A real host in a process of its own, with one source root; ended and cleared away after the test. */
export async function startHost(options: EngineHostOptions = {}): Promise<TestHost> {
  const root = options.sourceRoots?.[0] ?? (await temporaryDirectory());
  const host = await startEngineHost({ sourceRoots: [root], ...options });
  onTestFinished(() => host.kill());
  return { ...host, root };
}

const OpenedSchema = z.object({
  ok: z.literal(true),
  workspace: WorkspaceInfoSchema,
  created: z.boolean(),
  skipped: z.array(z.object({ path: z.string(), reason: z.string() })),
});

export async function openWorkspace(
  host: RunningEngineHost,
  workspaceId: string,
  source: WorkspaceSource,
): Promise<z.output<typeof OpenedSchema>> {
  const { status, body } = await host.request("POST", "/v1/workspaces", { workspaceId, source });
  expect({ status, body }).toMatchObject({ status: 200 });
  return OpenedSchema.parse(body);
}

export const workspacePath = (id: string, rest = ""): string => `/v1/workspaces/${encodeURIComponent(id)}${rest}`;

export async function workspaceOf(host: RunningEngineHost, id: string): Promise<WorkspaceInfo> {
  const { body } = await host.request("GET", workspacePath(id));
  return z.object({ workspace: WorkspaceInfoSchema }).parse(body).workspace;
}

export const answerOf = (response: EngineResponse): EngineAnswer => EngineAnswerSchema.parse(response.body);

/** Sends a batch and insists that it was applied. */
export async function applyBatch(host: RunningEngineHost, id: string, batch: PatchBatchInput): Promise<EngineAnswer> {
  const response = await host.request("POST", workspacePath(id, "/batches"), { batch });
  expect(response.body).toMatchObject({ ok: true, outcome: { status: "applied" } });
  return answerOf(response);
}

/** A refusal as every route but batches and reverts sends it; checks that it is problem+json and shows no stack. */
export function problemIn(response: EngineResponse): Problem {
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  const problem = ProblemSchema.parse(response.body);
  expect(problem.status).toBe(response.status);
  expect(JSON.stringify(problem)).not.toMatch(/\bat .+:\d+:\d+|node_modules|\.ts\b/);
  return problem;
}

export const templateDirectory = (name: string): string => join(import.meta.dirname, "..", "fixtures", name);
