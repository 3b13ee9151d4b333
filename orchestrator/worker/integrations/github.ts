import {
  type CreateGithubIssue,
  type CreateGithubPull,
  fail,
  type Failed,
  type GitCredential,
  GitCredentialSchema,
  type GithubBranch,
  GithubBranchSchema,
  type GithubComment,
  GithubCommentSchema,
  type GithubIssue,
  GithubIssueSchema,
  type GithubIssueState,
  type GithubPullRequest,
  GithubPullRequestSchema,
  GithubReachableSchema,
  type ListGithubIssues,
  type ListGithubPulls,
  ProblemSchema,
  type Result,
} from "@shared/contracts";
import { z } from "zod";

/**
 * GitHub, through the Worker that is bound as CORE_GITHUB_API: it holds the credential, keeps GitHub's limits and lets
 * nothing through but the repositories it is set up for. No function throws. Errors, of each: NOT_FOUND, CONFLICT,
 * FORBIDDEN (a repository that is not on its list), VALIDATION_FAILED, RATE_LIMITED (with `retryAfterSeconds`),
 * UPSTREAM_REFUSED, UPSTREAM_UNAVAILABLE (of a change: in doubt; also where GitHub is not configured).
 */

/** A repository as `owner/name`, or a name of the default owner's; absent: the default one. */
type Named<Input> = Input & { repo?: string | undefined };
interface Of {
  owner: string;
  repo: string;
}
export type GithubEnv = Pick<Env, "CORE_GITHUB_API">;

/** The next page's number; null: this is the last. */
type Page<Key extends string, T> = Result<Record<Key, T[]> & { next: number | null }>;

interface Send {
  method?: "GET" | "POST" | "PATCH";
  repo: string | undefined;
  path: string;
  query?: object;
  body?: unknown;
}

interface Bound {
  fetch(address: string, init: RequestInit): Promise<Response>;
}
/** Generated types know nothing of the Worker behind a binding, and a deployment may leave it out. */
const isBound = (binding: unknown): binding is Bound => typeof binding === "object" && binding !== null;

const BASE = "https://core-github-api/v1/repo";

async function send(env: GithubEnv, request: Send): Promise<Result<{ response: Response }>> {
  const { method = "GET", repo, path, query = {}, body } = request;
  const binding: unknown = env.CORE_GITHUB_API;
  if (!isBound(binding)) {
    return fail("UPSTREAM_UNAVAILABLE", "GitHub is not configured: bind CORE_GITHUB_API; docs/github.md says how", {
      retryable: false,
    });
  }
  if (`${repo ?? "-"}${path}`.split("/").some((part) => part === "." || part === "..")) {
    return fail("VALIDATION_FAILED", "a name may not be a path's `.` or `..`");
  }
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value));
  const address = `${BASE}${repo === undefined ? "" : `/${encodeURIComponent(repo)}`}${path}`;
  let response: Response;
  try {
    response = await binding.fetch(search.size === 0 ? address : `${address}?${search.toString()}`, {
      method,
      ...(body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    });
    if (response.ok) return { ok: true, response };
    return refusalOf(await response.json());
  } catch {
    return fail("UPSTREAM_UNAVAILABLE", "core-github-api did not answer", {
      nothingWritten: method === "GET" ? true : null,
    });
  }
}

const RefusalSchema = ProblemSchema.extend({ retryAfterSeconds: z.number().optional() });

function refusalOf(body: unknown): Failed {
  const problem = RefusalSchema.safeParse(body);
  if (!problem.success) return fail("UPSTREAM_REFUSED", "core-github-api answered in an unknown form");
  const { error, retryAfterSeconds } = problem.data;
  // This installation's fault, not the caller's: it must not read as the caller's own 401.
  if (error.code === "UNAUTHENTICATED")
    return fail("UPSTREAM_UNAVAILABLE", "core-github-api does not know this Worker");
  return { ok: false, error, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) };
}

async function read<T>(schema: z.ZodType<T>, response: Response): Promise<Result<{ value: T }>> {
  try {
    const parsed = schema.safeParse(await response.json());
    if (parsed.success) return { ok: true, value: parsed.data };
  } catch {
    return fail("UPSTREAM_UNAVAILABLE", "the answer of core-github-api broke off", { nothingWritten: null });
  }
  return fail("UPSTREAM_REFUSED", "core-github-api answered in an unknown form", { nothingWritten: null });
}

async function one<T>(env: GithubEnv, schema: z.ZodType<T>, request: Send): Promise<Result<{ value: T }>> {
  const sent = await send(env, request);
  return sent.ok ? read(schema, sent.response) : sent;
}

async function many<T>(
  env: GithubEnv,
  schema: z.ZodType<T>,
  request: Send,
): Promise<Result<{ values: T[]; next: number | null }>> {
  const sent = await send(env, request);
  if (!sent.ok) return sent;
  const values = await read(z.array(schema), sent.response);
  if (!values.ok) return values;
  const link = /^<([^>]+)>; rel="next"$/.exec(sent.response.headers.get("link") ?? "")?.[1];
  const page = link === undefined ? null : new URL(link, BASE).searchParams.get("page");
  return { ok: true, values: values.value, next: page === null ? null : Number(page) };
}

const full = ({ owner, repo }: Of): string => `${owner}/${repo}`;
const encodePath = (path: string): string => path.split("/").map(encodeURIComponent).join("/");

/** GitHub counts pull requests among the issues: they say so. */
export async function listRepoIssues(
  env: GithubEnv,
  input: Named<ListGithubIssues> = {},
): Promise<Page<"issues", GithubIssue>> {
  const { repo, ...query } = input;
  const found = await many(env, GithubIssueSchema, { repo, path: "/issues", query });
  return found.ok ? { ok: true, issues: found.values, next: found.next } : found;
}

export async function listRepoPRs(
  env: GithubEnv,
  input: Named<ListGithubPulls> = {},
): Promise<Page<"prs", GithubPullRequest>> {
  const { repo, ...query } = input;
  const found = await many(env, GithubPullRequestSchema, { repo, path: "/pulls", query });
  return found.ok ? { ok: true, prs: found.values, next: found.next } : found;
}

/** Not idempotent: in doubt, search before asking again. */
export async function createIssue(
  env: GithubEnv,
  input: Named<CreateGithubIssue>,
): Promise<Result<{ issue: GithubIssue }>> {
  const { repo, ...body } = input;
  const made = await one(env, GithubIssueSchema, { method: "POST", repo, path: "/issues", body });
  return made.ok ? { ok: true, issue: made.value } : made;
}

export async function commentOnIssue(
  env: GithubEnv,
  input: Named<{ number: number; body: string }>,
): Promise<Result<{ comment: GithubComment }>> {
  const { repo, number, body } = input;
  const path = `/issues/${number}/comments`;
  const made = await one(env, GithubCommentSchema, { method: "POST", repo, path, body: { body } });
  return made.ok ? { ok: true, comment: made.value } : made;
}

/** Of an issue or a pull request, the oldest first; `mine` are those that were written with this deployment's credential. */
export async function listComments(
  env: GithubEnv,
  input: Named<{ number: number; page?: number | undefined; per_page?: number | undefined }>,
): Promise<Page<"comments", GithubComment>> {
  const { repo, number, ...query } = input;
  const found = await many(env, GithubCommentSchema, { repo, path: `/issues/${number}/comments`, query });
  return found.ok ? { ok: true, comments: found.values, next: found.next } : found;
}

/** Twice is as good as once. FORBIDDEN also where somebody else wrote the comment. */
export async function updateComment(
  env: GithubEnv,
  input: Named<{ id: number; body: string }>,
): Promise<Result<{ comment: GithubComment }>> {
  const { repo, id, body } = input;
  const set = await one(env, GithubCommentSchema, { method: "PATCH", repo, path: `/comments/${id}`, body: { body } });
  return set.ok ? { ok: true, comment: set.value } : set;
}

/** Whether a repository is among those that may be reached; nothing is asked of GitHub. FORBIDDEN where it is not. */
export async function reachableRepository(env: GithubEnv, repo: string): Promise<Result<{ repository: string }>> {
  const found = await one(env, GithubReachableSchema, { repo, path: "/reachable" });
  return found.ok ? { ok: true, repository: found.value.repository } : found;
}

/** `in_progress` is an open issue with a label of that name, and somebody it is assigned to. */
export async function updateIssueState(
  env: GithubEnv,
  input: Named<{ number: number; state: GithubIssueState }>,
): Promise<Result<{ issue: GithubIssue }>> {
  const { repo, number, state } = input;
  const moved = await one(env, GithubIssueSchema, {
    method: "PATCH",
    repo,
    path: `/issues/${number}`,
    body: { state },
  });
  return moved.ok ? { ok: true, issue: moved.value } : moved;
}

/** Issues and pull requests of one repository that fit the words and qualifiers. */
export async function searchIssues(
  env: GithubEnv,
  input: Of & { q: string; page?: number },
): Promise<Page<"issues", GithubIssue>> {
  const { q, page } = input;
  const found = await many(env, GithubIssueSchema, { repo: full(input), path: "/search/issues", query: { q, page } });
  return found.ok ? { ok: true, issues: found.values, next: found.next } : found;
}

export async function getIssue(
  env: GithubEnv,
  input: Named<{ number: number }>,
): Promise<Result<{ issue: GithubIssue }>> {
  const found = await one(env, GithubIssueSchema, { repo: input.repo, path: `/issues/${input.number}` });
  return found.ok ? { ok: true, issue: found.value } : found;
}

export async function getBranch(
  env: GithubEnv,
  input: Of & { branch: string },
): Promise<Result<{ branch: GithubBranch }>> {
  const found = await one(env, GithubBranchSchema, {
    repo: full(input),
    path: `/branches/${encodePath(input.branch)}`,
  });
  return found.ok ? { ok: true, branch: found.value } : found;
}

/** CONFLICT where it exists already. */
export async function createBranch(
  env: GithubEnv,
  input: Of & { branch: string; sha: string },
): Promise<Result<{ branch: GithubBranch }>> {
  const body = { name: input.branch, sha: input.sha };
  const made = await one(env, GithubBranchSchema, { method: "POST", repo: full(input), path: "/branches", body });
  return made.ok ? { ok: true, branch: made.value } : made;
}

/** CONFLICT where one from this head into this base is open already. */
export async function createPullRequest(
  env: GithubEnv,
  input: Of & CreateGithubPull,
): Promise<Result<{ pullRequest: GithubPullRequest }>> {
  const { owner, repo, ...body } = input;
  const made = await one(env, GithubPullRequestSchema, {
    method: "POST",
    repo: full({ owner, repo }),
    path: "/pulls",
    body,
  });
  return made.ok ? { ok: true, pullRequest: made.value } : made;
}

export async function getPullRequest(
  env: GithubEnv,
  input: Of & { number: number },
): Promise<Result<{ pullRequest: GithubPullRequest }>> {
  const found = await one(env, GithubPullRequestSchema, { repo: full(input), path: `/pulls/${input.number}` });
  return found.ok ? { ok: true, pullRequest: found.value } : found;
}

/** A pull request as a git diff. */
export async function pullRequestDiff(
  env: GithubEnv,
  input: Of & { number: number },
): Promise<Result<{ diff: string }>> {
  const sent = await send(env, { repo: full(input), path: `/pulls/${input.number}/diff` });
  if (!sent.ok) return sent;
  try {
    return { ok: true, diff: await sent.response.text() };
  } catch {
    return fail("UPSTREAM_UNAVAILABLE", "the answer of core-github-api broke off");
  }
}

/** Where git pushes to, and what it shows there. A secret: it goes to the engine host and nowhere else. */
export async function gitCredential(env: GithubEnv, input: Of): Promise<Result<{ credential: GitCredential }>> {
  const given = await one(env, GitCredentialSchema, {
    method: "POST",
    repo: full(input),
    path: "/git-credential",
    body: {},
  });
  return given.ok ? { ok: true, credential: given.value } : given;
}
