import {
  type BuildLogs,
  BuildLogsSchema,
  fail,
  ProblemSchema,
  type Result,
  type RunLogs,
  RunLogsSchema,
  type WorkerLogs,
  WorkerLogsSchema,
} from "@shared/contracts";
import type { z } from "zod";

/**
 * Logs from outside, through the Workers that hold the credentials: CORE_CLOUDFLARE_API of deployed Workers,
 * CORE_GITHUB_API of CI runs. No function throws. Errors: UPSTREAM_UNAVAILABLE, UPSTREAM_REFUSED, RATE_LIMITED, and what
 * those Workers say.
 */
export type LogsEnv = Pick<Env, "CORE_GITHUB_API" | "GITHUB_OWNER" | "GITHUB_REPO"> & { CORE_CLOUDFLARE_API?: unknown };

export interface LogsAsked {
  from: string;
  to: string;
  cursor: string | null;
}

interface Bound {
  fetch(address: string): Promise<Response>;
}
const isBound = (binding: unknown): binding is Bound => typeof binding === "object" && binding !== null;

async function read<T>(
  binding: unknown,
  address: string,
  schema: z.ZodType<T>,
  query: URLSearchParams,
): Promise<Result<{ page: T }>> {
  if (!isBound(binding)) return fail("UPSTREAM_UNAVAILABLE", `nothing is bound for ${address}`, { retryable: false });
  let body: unknown;
  let isOk: boolean;
  try {
    const response = await binding.fetch(`${address}?${query.toString()}`);
    isOk = response.ok;
    body = await response.json();
  } catch {
    return fail("UPSTREAM_UNAVAILABLE", `no whole answer came from ${new URL(address).hostname}`);
  }
  if (!isOk) {
    const problem = ProblemSchema.safeParse(body);
    return problem.success
      ? { ok: false, error: problem.data.error }
      : fail("UPSTREAM_REFUSED", `${new URL(address).hostname} refused in an unknown form`);
  }
  const parsed = schema.safeParse(body);
  return parsed.success
    ? { ok: true, page: parsed.data }
    : fail("UPSTREAM_REFUSED", `${new URL(address).hostname} answered in an unknown form`);
}

const queryOf = ({ from, to, cursor }: LogsAsked): URLSearchParams =>
  new URLSearchParams({ from, to, ...(cursor === null ? {} : { cursor }) });

export const fetchWorkerLogs = (env: LogsEnv, asked: LogsAsked): Promise<Result<{ page: WorkerLogs }>> =>
  read(env.CORE_CLOUDFLARE_API, "https://core-cloudflare-api/v1/logs/workers", WorkerLogsSchema, queryOf(asked));

/** Of the repository that GITHUB_OWNER and GITHUB_REPO name; else of core-github-api's own default. */
export function fetchBuildLogs(env: LogsEnv, asked: LogsAsked): Promise<Result<{ page: BuildLogs }>> {
  const { GITHUB_OWNER: owner, GITHUB_REPO: name } = env;
  const repo = owner === "" || name === "" ? "" : `/repo/${encodeURIComponent(`${owner}/${name}`)}`;
  return read(
    env.CORE_GITHUB_API,
    `https://core-github-api/v1${repo}/actions/runs/logs`,
    BuildLogsSchema,
    queryOf(asked),
  );
}

/** Of one attempt of a run. */
export const fetchRunLogs = (
  env: LogsEnv,
  { repository, runId, attempt }: { repository: string; runId: number; attempt: number },
): Promise<Result<{ page: RunLogs }>> =>
  read(
    env.CORE_GITHUB_API,
    `https://core-github-api/v1/repo/${encodeURIComponent(repository)}/actions/runs/${runId}/logs`,
    RunLogsSchema,
    new URLSearchParams({ attempt: String(attempt) }),
  );
