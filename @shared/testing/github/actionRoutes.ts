import { randomBytes } from "node:crypto";
import { strToU8, zipSync } from "fflate";
import { type Call, type Handler, need, page, param, repositoryOf } from "./call.ts";
import { apiPathOf } from "./shapes.ts";
import { type Attempt, notFound, Refusal, type Repository, type Run, type World } from "./world.ts";

/** Of one window GitHub lists this many runs and no more, though it counts them all. */
const RUN_CAP = 1_000;
const LINK_MS = 60_000;

const second = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

const runShape = (
  call: Call,
  repository: Repository,
  run: Run,
  { attempt, number }: { attempt: Attempt; number: number } = { attempt: run, number: run.earlier.length + 1 },
) => ({
  id: run.id,
  name: run.name,
  head_branch: repository.defaultBranch,
  head_sha: run.head_sha,
  run_attempt: number,
  status: attempt.status,
  conclusion: attempt.status === "completed" ? attempt.conclusion : null,
  created_at: second(run.createdAt),
  updated_at: second(run.createdAt + 60_000),
  html_url: `${call.base}/${repository.owner}/${repository.name}/actions/runs/${run.id}`,
});

/** `created` as search reads it: `from..to`, both ends part of it, to the second. */
function createdOf(text: string | null): (run: Run) => boolean {
  if (text === null) return () => true;
  const [from = "", to = ""] = text.split("..");
  if (Number.isNaN(Date.parse(from)) || Number.isNaN(Date.parse(to))) throw new Refusal(422, "Invalid created filter");
  return ({ createdAt }) =>
    second(createdAt) >= second(Date.parse(from)) && second(createdAt) <= second(Date.parse(to));
}

const listRuns: Handler = (call) => {
  const { repository, may } = repositoryOf(call);
  need(may, "actions", "read");
  const found = repository.runs
    .filter(createdOf(call.query.get("created")))
    .toSorted((a, b) => b.createdAt - a.createdAt || b.id - a.id);
  const { items, headers } = page(call, found.slice(0, RUN_CAP), apiPathOf(repository, "/actions/runs"));
  return {
    status: 200,
    headers,
    body: { total_count: found.length, workflow_runs: items.map((run) => runShape(call, repository, run)) },
  };
};

function runOf(call: Call): { repository: Repository; run: Run } {
  const { repository, may } = repositoryOf(call);
  need(may, "actions", "read");
  const run = repository.runs.find(({ id }) => String(id) === param(call, 2));
  if (!run) throw notFound();
  return { repository, run };
}

function attemptOf(call: Call) {
  const { repository, run } = runOf(call);
  const number = Number(param(call, 3));
  const attempt = [...run.earlier, run][number - 1];
  if (!attempt) throw notFound();
  return { repository, run, number, attempt };
}

function linkTo(call: Call, attempt: Attempt) {
  if (attempt.logs === null) throw new Refusal(410, "Server Error: logs have expired");
  const key = randomBytes(16).toString("hex");
  call.world.links.set(key, { logs: attempt.logs, until: call.world.now() + LINK_MS });
  return { status: 302, headers: { location: `${call.base}/__logs/${key}` }, text: "" };
}

const runLogs: Handler = (call) => linkTo(call, runOf(call).run);
const attemptLogs: Handler = (call) => linkTo(call, attemptOf(call).attempt);
const getAttempt: Handler = (call) => {
  const { repository, run, ...which } = attemptOf(call);
  return { status: 200, body: runShape(call, repository, run, which) };
};

/** What stands behind a link: the archive, for a minute, for whoever has the link. */
export function archiveOf(world: World, path: string): Uint8Array | null {
  const link = world.links.get(path.replace("/__logs/", ""));
  if (!link || link.until < world.now()) return null;
  return zipSync(Object.fromEntries(Object.entries(link.logs).map(([name, text]) => [name, strToU8(text)])));
}

export const ACTION_ROUTES: readonly [string, RegExp, Handler][] = [
  ["GET", /^\/repos\/([^/]+)\/([^/]+)\/actions\/runs$/, listRuns],
  ["GET", /^\/repos\/([^/]+)\/([^/]+)\/actions\/runs\/(\d+)\/logs$/, runLogs],
  ["GET", /^\/repos\/([^/]+)\/([^/]+)\/actions\/runs\/(\d+)\/attempts\/(\d+)$/, getAttempt],
  ["GET", /^\/repos\/([^/]+)\/([^/]+)\/actions\/runs\/(\d+)\/attempts\/(\d+)\/logs$/, attemptLogs],
];
