import { type BuildLogLine, type BuildLogs, fail, type Failed, type Result, type RunLogs } from "@shared/contracts";
import type { ReadWindow } from "@shared/worker-kit";
import { z } from "zod";
import { excerptsOf } from "./excerpts.ts";
import { fetchArchive } from "./github/fetchArchive.ts";
import type { Repo } from "./verbs.ts";

/** GitHub gives at most this many runs of one window, whatever the page. */
const RUN_CAP = 1_000;
const PER_PAGE = 100;
/** Archives fetched for one answer. */
const MAX_ARCHIVES = 10;
const MAX_LINES = 2_000;
/** Windows are halved down to this; more runs than the cap in a second are not ours to see. */
const SHORTEST_MS = 1_000;
const FAILED = new Set(["failure", "timed_out", "startup_failure"]);

const RunSchema = z.object({
  id: z.number().int(),
  name: z.string().nullish(),
  head_sha: z.string(),
  head_branch: z.string().nullish(),
  run_attempt: z.number().int().default(1),
  status: z.string().nullable(),
  conclusion: z.string().nullable(),
  created_at: z.string(),
  updated_at: z.string(),
});
type Run = z.infer<typeof RunSchema>;
const RunsSchema = z.object({ total_count: z.number().int(), workflow_runs: z.array(RunSchema) });

/** A place in a window: the end of the part that is read, its page, and the runs of the page that are done with. */
const CursorSchema = z.tuple([
  z.number().int(),
  z.number().int(),
  z.number().int().min(1).max(10),
  z.number().int().min(0).max(PER_PAGE),
]);

const invalid = () => fail("VALIDATION_FAILED", "cursor: not one of this window's cursors");

function placeOf(window: ReadWindow): { from: number; end: number | null; page: number; done: number } | Failed {
  if (window.cursor === null) return { from: window.from.getTime(), end: null, page: 1, done: 0 };
  try {
    const [from, end, page, done] = CursorSchema.parse(JSON.parse(window.cursor));
    const isInside = from >= window.from.getTime() && end <= window.to.getTime() && from < end;
    return isInside ? { from, end, page, done } : invalid();
  } catch {
    // A caller's cursor is a caller's text: whatever is wrong with it, the answer is the same.
    return invalid();
  }
}

/**
 * What the failed runs of a window logged, some archives at a time; `cursor` leads on. The window is read in parts of fewer
 * than GitHub's cap of 1,000 runs each, which it would pass over in silence. A run that has not ended holds the window
 * open (`open_since`). Errors: those of GitHub; a run whose logs cannot be had is `skipped`, with its reason.
 */
export async function runLogs(repo: Repo, window: ReadWindow): Promise<Result<BuildLogs>> {
  const place = placeOf(window);
  if ("ok" in place) return place;
  const part = await partOf(repo, place, window.to.getTime());
  if (!part.ok) return part;
  const { end, page } = part;
  const answer: BuildLogs = {
    logs: [],
    skipped: [],
    cursor: null,
    from: window.from.toISOString(),
    to: window.to.toISOString(),
    open_since: null,
  };
  const runs = page.workflow_runs;
  let archives = 0;
  let done = place.done;
  for (const run of runs.slice(place.done)) {
    if (run.status !== "completed") {
      if (answer.open_since === null || run.created_at < answer.open_since) answer.open_since = run.created_at;
    } else if (FAILED.has(run.conclusion ?? "")) {
      if (archives >= MAX_ARCHIVES || answer.logs.length >= MAX_LINES) break;
      archives += 1;
      const got = await logsOf(repo, run);
      if (got.ok) answer.logs.push(...got.lines);
      else if (isGone(got.error.code)) {
        answer.skipped.push({ run_id: String(run.id), why: got.error.message });
      } else return got;
    }
    done += 1;
  }
  const { from } = place;
  if (done < runs.length) answer.cursor = JSON.stringify([from, end, place.page, done]);
  else if (place.page * PER_PAGE < page.total_count) answer.cursor = JSON.stringify([from, end, place.page + 1, 0]);
  else if (end < window.to.getTime()) answer.cursor = JSON.stringify([end, window.to.getTime(), 1, 0]);
  return { ok: true, ...answer };
}

const isGone = (code: string): boolean => code === "NOT_FOUND" || code === "UPSTREAM_REFUSED";

/**
 * What one attempt of a run logged, under the same ids as in a window. A window holds runs by when they were created, and a
 * run that is run again keeps that: its window has been read by then. Errors: those of GitHub; NOT_FOUND where there is no
 * such attempt; CONFLICT where it has not ended. Logs that cannot be had are `skipped`, with the reason.
 */
export async function attemptLogs(repo: Repo, asked: { run: number; attempt: number }): Promise<Result<RunLogs>> {
  const { client, repository, log } = repo;
  const answer = await client.ask(
    {
      route: "GET /repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}",
      parameters: {
        owner: repository.owner,
        repo: repository.name,
        run_id: asked.run,
        attempt_number: asked.attempt,
      },
    },
    log,
  );
  if (!answer.ok) return answer;
  const parsed = RunSchema.safeParse(answer.data);
  if (!parsed.success) return fail("UPSTREAM_REFUSED", "GitHub answered in an unknown form");
  const run = parsed.data;
  if (run.status !== "completed") return fail("CONFLICT", "this attempt has not ended", { retryable: true });
  if (!FAILED.has(run.conclusion ?? "")) return { ok: true, logs: [], skipped: [] };
  const got = await logsOf(repo, run, asked.attempt);
  if (got.ok) return { ok: true, logs: got.lines, skipped: [] };
  if (!isGone(got.error.code)) return got;
  return { ok: true, logs: [], skipped: [{ run_id: String(run.id), why: got.error.message }] };
}

/** The part of the window that is read now, and its page: halved until it holds fewer runs than the cap. */
async function partOf(
  repo: Repo,
  { from, end, page }: { from: number; end: number | null; page: number },
  to: number,
): Promise<Result<{ end: number; page: z.infer<typeof RunsSchema> }>> {
  let until = end ?? to;
  for (;;) {
    const listed = await listRuns(repo, { from, to: until, page });
    if (!listed.ok) return listed;
    const { runs } = listed;
    if (runs.total_count < RUN_CAP || until - from <= SHORTEST_MS) return { ok: true, end: until, page: runs };
    // A page that was given out of a smaller window cannot be of this one.
    if (page > 1) return invalid();
    // To the second, as GitHub reads `created`.
    until = from + Math.max(SHORTEST_MS, Math.floor((until - from) / 2 / 1_000) * 1_000);
  }
}

/** As GitHub reads times in `created`. */
const second = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

async function listRuns(
  { client, repository, log }: Repo,
  { from, to, page }: { from: number; to: number; page: number },
): Promise<Result<{ runs: z.infer<typeof RunsSchema> }>> {
  const answer = await client.ask(
    {
      route: "GET /repos/{owner}/{repo}/actions/runs",
      // Both ends are part of a window of GitHub's: the last second belongs to the next part, and twice does no harm.
      parameters: {
        owner: repository.owner,
        repo: repository.name,
        created: `${second(from)}..${second(to)}`,
        per_page: PER_PAGE,
        page,
      },
    },
    log,
  );
  if (!answer.ok) return answer;
  const parsed = RunsSchema.safeParse(answer.data);
  return parsed.success
    ? { ok: true, runs: parsed.data }
    : fail("UPSTREAM_REFUSED", "GitHub answered in an unknown form");
}

/** The jobs' own logs stand at the top of the archive; what is in its folders is the same, step by step. */
const isJobLog = (name: string): boolean => !name.includes("/") && name.endsWith(".txt");

/** A run's archive by a link that is good for a minute: one that is over is asked for anew, once. */
async function archiveOf(repo: Repo, run: Run, attempt: number | null): ReturnType<typeof fetchArchive> {
  const first = await linkedArchive(repo, run, attempt);
  return first.ok || first.error.code !== "NOT_FOUND" ? first : linkedArchive(repo, run, attempt);
}

async function linkedArchive(
  { client, config, repository, log }: Repo,
  run: Run,
  attempt: number | null,
): ReturnType<typeof fetchArchive> {
  const parameters = { owner: repository.owner, repo: repository.name, run_id: run.id };
  const answer = await client.ask(
    attempt === null
      ? { route: "GET /repos/{owner}/{repo}/actions/runs/{run_id}/logs", parameters, format: "link" }
      : {
          route: "GET /repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}/logs",
          parameters: { ...parameters, attempt_number: attempt },
          format: "link",
        },
    log,
  );
  if (!answer.ok) return answer;
  if (typeof answer.data !== "string") return fail("UPSTREAM_REFUSED", "GitHub gave no link to the logs");
  return fetchArchive(answer.data, { apiUrl: config.apiUrl, wants: isJobLog });
}

/** `attempt`: of this one alone; null: of the newest. */
async function logsOf(repo: Repo, run: Run, attempt: number | null = null): Promise<Result<{ lines: BuildLogLine[] }>> {
  const { repository } = repo;
  const unpacked = await archiveOf(repo, run, attempt);
  if (!unpacked.ok) return unpacked;
  const lines = unpacked.files.flatMap(({ name, text }) =>
    excerptsOf(text).map((excerpt): BuildLogLine => {
      const job = name.replace(/^\d+_/, "").replace(/\.txt$/, "");
      return {
        id: `${run.run_attempt}/${name.slice(0, 200)}/${excerpt.line}`,
        repo: `${repository.owner}/${repository.name}`,
        run_id: String(run.id),
        level: excerpt.level,
        message: excerpt.message,
        ts: excerpt.ts ?? run.updated_at,
        commit: run.head_sha,
        meta: {
          job,
          attempt: run.run_attempt,
          line: excerpt.line,
          workflow: run.name ?? null,
          branch: run.head_branch ?? null,
        },
      };
    }),
  );
  return { ok: true, lines };
}
