import { BranchNameSchema, fail, type Result, validationError } from "@shared/contracts";
import { type AppVariables, createApp, createLogger, readJson, readLogWindow, respond } from "@shared/worker-kit";
import type { Context } from "hono";
import { attemptLogs, runLogs } from "./actions.ts";
import { type Bindings, readConfig, resolveRepository, secretsOf } from "./config.ts";
import { Clients } from "./github/Clients.ts";
import type { Clock, Pace } from "./github/RateLimits.ts";
import { commentOnIssue, listComments, updateComment } from "./comments.ts";
import { updateIssueState } from "./issueState.ts";
import * as verbs from "./verbs.ts";
import { z } from "zod";

/** Who may have a token that pushes; the others read and write through this Worker. */
const PUSHERS: ReadonlySet<string> = new Set(["orchestrator"]);
/** A body of 65,536 characters, each of which may be six bytes of an escape, and what stands around it. */
const MAX_BODY_BYTES = 512 * 1024;

/** What a request comes with beside the deployment's bindings: who is bound to this Worker, by the binding's props. */
export type AppBindings = Bindings & { CALLER: string };
type AppContext = Context<{ Bindings: AppBindings; Variables: AppVariables }>;

const number = z
  .string()
  .regex(/^[1-9]\d{0,14}$/, "expected a number")
  .transform(Number);
const AttemptSchema = z.object({ run: number, attempt: number });

const withBody = async (
  c: AppContext,
  work: (body: unknown) => Promise<verbs.One<unknown>>,
): Promise<verbs.One<unknown>> => {
  const body = await readJson(c.req.raw, { maxBytes: MAX_BODY_BYTES });
  return body.ok ? work(body.value) : body;
};
const withNumber = async <T extends object>(
  c: AppContext,
  work: (number: number) => Promise<Result<T>>,
): Promise<Result<T>> => {
  const text = c.req.param("number") ?? "";
  return /^[1-9]\d{0,8}$/.test(text) ? work(Number(text)) : fail("NOT_FOUND", "an issue or pull request has a number");
};
const withRef = async <T extends object>(
  c: AppContext,
  work: (ref: string) => Promise<Result<T>>,
): Promise<Result<T>> => {
  const ref = BranchNameSchema.safeParse(c.req.param("ref"));
  return ref.success ? work(ref.data) : { ok: false, error: validationError(ref.error) };
};

/** The proxy's HTTP door, with clients that outlive a request. */
export function createGithubApp(parts: { clock: Clock; pace?: Pace }) {
  const clients = new Clients(parts);
  const app = createApp<AppBindings>({
    logger: (env) =>
      createLogger({ fields: { worker: "core-github-api", caller: env.CALLER }, secrets: secretsOf(env) }),
  });

  /** The repository of the address, or the default one, with a client to reach it. */
  const repoOf = (c: AppContext): Result<{ repo: verbs.Repo }> => {
    const read = readConfig(c.env);
    if (!read.ok) return read;
    const { config } = read;
    const resolved = resolveRepository(config, c.env, c.req.param("repo") ?? null);
    if (!resolved.ok) return resolved;
    const log = c.var.log.child({ repository: `${resolved.repository.owner}/${resolved.repository.name}` });
    return {
      ok: true,
      repo: { client: clients.of(config, secretsOf(c.env)), config, repository: resolved.repository, log },
    };
  };

  const single =
    (work: (repo: verbs.Repo, c: AppContext) => Promise<verbs.One<unknown>>, status: 200 | 201 = 200) =>
    async (c: AppContext): Promise<Response> => {
      const repo = repoOf(c);
      if (!repo.ok) return respond(c, repo);
      const answer = await work(repo.repo, c);
      if (!answer.ok) return respond(c, answer);
      return typeof answer.value === "string"
        ? new Response(answer.value, { headers: { "content-type": "text/x-diff; charset=utf-8" } })
        : Response.json(answer.value, { status });
    };

  /** A list as GitHub gives it: an array, and the next page in the Link header (RFC 8288), by an address of ours. */
  const list =
    (work: (repo: verbs.Repo, c: AppContext) => Promise<verbs.Page<unknown>>) =>
    async (c: AppContext): Promise<Response> => {
      const repo = repoOf(c);
      if (!repo.ok) return respond(c, repo);
      const answer = await work(repo.repo, c);
      if (!answer.ok) return respond(c, answer);
      const url = new URL(c.req.url);
      url.searchParams.set("page", String(answer.next));
      const headers = new Headers(answer.next === null ? [] : [["link", `<${url.pathname}${url.search}>; rel="next"`]]);
      return Response.json(answer.value, { headers });
    };

  for (const base of ["/v1/repo", "/v1/repo/:repo"]) {
    app.get(
      `${base}/issues`,
      list((repo, c) => verbs.listIssues(repo, c.req.query())),
    );
    app.post(
      `${base}/issues`,
      single((repo, c) => withBody(c, (body) => verbs.createIssue(repo, body)), 201),
    );
    app.get(
      `${base}/pulls`,
      list((repo, c) => verbs.listPulls(repo, c.req.query())),
    );
    app.get(
      `${base}/issues/:number`,
      single((repo, c) => withNumber(c, (n) => verbs.getIssue(repo, n))),
    );
    app.patch(
      `${base}/issues/:number`,
      single((repo, c) => withNumber(c, (n) => withBody(c, (body) => updateIssueState(repo, n, body)))),
    );
    app.get(
      `${base}/issues/:number/comments`,
      list((repo, c) => withNumber(c, (n) => listComments(repo, n, c.req.query()))),
    );
    app.post(
      `${base}/issues/:number/comments`,
      single((repo, c) => withNumber(c, (n) => withBody(c, (body) => commentOnIssue(repo, n, body))), 201),
    );
  }
  // What failed runs logged: `?window=24h`, or `from` and `to`; `cursor` leads on.
  for (const path of ["/v1/actions/runs/logs", "/v1/repo/:repo/actions/runs/logs"]) {
    app.get(path, async (c) => {
      const repo = repoOf(c);
      if (!repo.ok) return respond(c, repo);
      const read = readLogWindow(c.req.query(), parts.clock.now());
      return read.ok ? respond(c, await runLogs(repo.repo, read.window)) : respond(c, read);
    });
  }
  // What one attempt of a run logged: `?attempt=2`.
  for (const path of [
    "/v1/actions/runs/:run{[1-9][0-9]*}/logs",
    "/v1/repo/:repo/actions/runs/:run{[1-9][0-9]*}/logs",
  ]) {
    app.get(path, async (c) => {
      const repo = repoOf(c);
      if (!repo.ok) return respond(c, repo);
      const asked = AttemptSchema.safeParse({ run: c.req.param("run"), attempt: c.req.query("attempt") });
      if (!asked.success) return respond(c, { ok: false, error: validationError(asked.error) });
      return respond(c, await attemptLogs(repo.repo, asked.data));
    });
  }
  const at = "/v1/repo/:repo";
  // Whether a repository is on the list: nothing is asked of GitHub.
  app.get(
    `${at}/reachable`,
    single(async ({ repository: { owner, name } }) => ({ ok: true, value: { repository: `${owner}/${name}` } })),
  );
  app.patch(
    `${at}/comments/:id`,
    single(async (repo, c) => {
      const id = c.req.param("id") ?? "";
      // Comments are numbered over all of GitHub.
      if (!/^[1-9]\d{0,14}$/.test(id)) return fail("NOT_FOUND", "a comment has a number");
      return withBody(c, (body) => updateComment(repo, Number(id), body));
    }),
  );
  app.get(
    `${at}/search/issues`,
    list((repo, c) => verbs.searchIssues(repo, c.req.query())),
  );
  app.post(
    `${at}/pulls`,
    single((repo, c) => withBody(c, (body) => verbs.createPull(repo, body)), 201),
  );
  app.get(
    `${at}/pulls/:number`,
    single((repo, c) => withNumber(c, (n) => verbs.getPull(repo, n))),
  );
  app.get(
    `${at}/pulls/:number/diff`,
    single((repo, c) => withNumber(c, (n) => verbs.pullDiff(repo, n))),
  );
  app.get(
    `${at}/branches`,
    list((repo, c) => verbs.listBranches(repo, c.req.query())),
  );
  app.post(
    `${at}/branches`,
    single((repo, c) => withBody(c, (body) => verbs.createBranch(repo, body)), 201),
  );
  app.get(
    `${at}/branches/:ref{.+}`,
    single((repo, c) => withRef(c, (ref) => verbs.getBranch(repo, ref))),
  );
  app.get(
    `${at}/commits`,
    list((repo, c) => verbs.listCommits(repo, c.req.query())),
  );
  app.get(
    `${at}/commits/:ref{.+}`,
    single((repo, c) => withRef(c, (ref) => verbs.getCommit(repo, ref))),
  );
  app.post(
    `${at}/git-credential`,
    single((repo, c) =>
      PUSHERS.has(c.env.CALLER)
        ? verbs.gitCredential(repo)
        : Promise.resolve(fail("FORBIDDEN", "this caller may not push")),
    ),
  );
  return app;
}
