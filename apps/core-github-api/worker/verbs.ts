import {
  CreateGithubBranchSchema,
  CreateGithubIssueSchema,
  CreateGithubPullSchema,
  fail,
  type GitCredential,
  type GithubBranch,
  type GithubCommit,
  type GithubIssue,
  type GithubPullRequest,
  type GithubRepository,
  ListGithubBranchesSchema,
  ListGithubCommitsSchema,
  ListGithubIssuesSchema,
  ListGithubPullsSchema,
  type Result,
  SearchGithubIssuesSchema,
  validationError,
} from "@shared/contracts";
import type { Logger } from "@shared/worker-kit";
import { z } from "zod";
import type { GithubConfig } from "./config.ts";
import type { Ask, GithubClient } from "./github/GithubClient.ts";
import { BranchOfGithub, CommitOfGithub, IssueOfGithub, PullOfGithub, RefOfGithub, SearchOfGithub } from "./shapes.ts";

/** What a verb works with: one repository, reached with the deployment's credential. */
export interface Repo {
  client: GithubClient;
  config: GithubConfig;
  repository: GithubRepository;
  log: Logger;
}

/** One thing, or a page of them with the number of the next page where there is one. */
export type One<T> = Result<{ value: T }>;
export type Page<T> = Result<{ value: T[]; next: number | null }>;

/** GitHub's links name pages by addresses of its own; only the number is taken from them. */
function nextPage(link: string | null): number | null {
  const next = /<([^>]+)>;\s*rel="next"/.exec(link ?? "")?.[1];
  const page = next === undefined || !URL.canParse(next) ? null : new URL(next).searchParams.get("page");
  return page === null || !/^\d+$/.test(page) ? null : Number(page);
}

export const unknownForm = () => fail("UPSTREAM_REFUSED", "GitHub answered in an unknown form");
export const invalid = (error: z.ZodError) => ({ ok: false as const, error: validationError(error) });

export async function one<T>(repo: Repo, schema: z.ZodType<T>, ask: Ask): Promise<One<T>> {
  const answer = await send(repo, ask);
  if (!answer.ok) return answer;
  const parsed = schema.safeParse(answer.data);
  return parsed.success ? { ok: true, value: parsed.data } : unknownForm();
}

export async function many<T>(repo: Repo, schema: z.ZodType<T[]>, ask: Ask): Promise<Page<T>> {
  const answer = await send(repo, ask);
  if (!answer.ok) return answer;
  const parsed = schema.safeParse(answer.data);
  return parsed.success ? { ok: true, value: parsed.data, next: nextPage(answer.link) } : unknownForm();
}

export const send = ({ client, repository, log }: Repo, { parameters, ...ask }: Ask) =>
  client.ask({ ...ask, parameters: { owner: repository.owner, repo: repository.name, ...parameters } }, log);

export const REPO = "/repos/{owner}/{repo}";

export async function listIssues(repo: Repo, query: unknown): Promise<Page<GithubIssue>> {
  const parsed = ListGithubIssuesSchema.safeParse(query);
  if (!parsed.success) return invalid(parsed.error);
  return many(repo, z.array(IssueOfGithub), { route: `GET ${REPO}/issues`, parameters: parsed.data });
}

export async function createIssue(repo: Repo, body: unknown): Promise<One<GithubIssue>> {
  const parsed = CreateGithubIssueSchema.safeParse(body);
  if (!parsed.success) return invalid(parsed.error);
  return one(repo, IssueOfGithub, { route: `POST ${REPO}/issues`, parameters: parsed.data });
}

const issue = (number: number): Ask => ({
  route: `GET ${REPO}/issues/{issue_number}`,
  parameters: { issue_number: number },
});

export const getIssue = (repo: Repo, number: number): Promise<One<GithubIssue>> =>
  one(repo, IssueOfGithub, issue(number));

/** Qualifiers that name where to search, and the words by which GitHub joins conditions into others. */
const WIDENING = /(?:^|[\s("-])(?:repo|org|user|owner|enterprise)\s*:|\b(?:OR|NOT|AND)\b|[()]/i;

/** Issues and pull requests of this repository alone, whatever the words say. */
export async function searchIssues(repo: Repo, query: unknown): Promise<Page<GithubIssue>> {
  const parsed = SearchGithubIssuesSchema.safeParse(query);
  if (!parsed.success) return invalid(parsed.error);
  const { q, ...page } = parsed.data;
  if (WIDENING.test(q)) return fail("VALIDATION_FAILED", "q: words and qualifiers of one repository's issues only");
  const { owner, name } = repo.repository;
  return many(repo, SearchOfGithub(owner, name), {
    route: "GET /search/issues",
    parameters: { ...page, q: `repo:${owner}/${name} ${q}`, owner: undefined, repo: undefined },
    resource: "search",
  });
}

export async function listPulls(repo: Repo, query: unknown): Promise<Page<GithubPullRequest>> {
  const parsed = ListGithubPullsSchema.safeParse(query);
  if (!parsed.success) return invalid(parsed.error);
  const { head, ...rest } = parsed.data;
  // Without the owner GitHub does not look at it.
  const parameters = { ...rest, ...(head === undefined ? {} : { head: `${repo.repository.owner}:${head}` }) };
  return many(repo, z.array(PullOfGithub), { route: `GET ${REPO}/pulls`, parameters });
}

/** CONFLICT where one from this branch into that is open already. */
export async function createPull(repo: Repo, body: unknown): Promise<One<GithubPullRequest>> {
  const parsed = CreateGithubPullSchema.safeParse(body);
  if (!parsed.success) return invalid(parsed.error);
  return one(repo, PullOfGithub, { route: `POST ${REPO}/pulls`, parameters: parsed.data });
}

const pull = (number: number): Ask => ({
  route: `GET ${REPO}/pulls/{pull_number}`,
  parameters: { pull_number: number },
});

export const getPull = (repo: Repo, number: number): Promise<One<GithubPullRequest>> =>
  one(repo, PullOfGithub, pull(number));

export const pullDiff = (repo: Repo, number: number): Promise<One<string>> =>
  one(repo, z.string(), { ...pull(number), format: "diff" });

export async function listBranches(repo: Repo, query: unknown): Promise<Page<GithubBranch>> {
  const parsed = ListGithubBranchesSchema.safeParse(query);
  if (!parsed.success) return invalid(parsed.error);
  return many(repo, z.array(BranchOfGithub), { route: `GET ${REPO}/branches`, parameters: parsed.data });
}

export const getBranch = (repo: Repo, branch: string): Promise<One<GithubBranch>> =>
  one(repo, BranchOfGithub, { route: `GET ${REPO}/branches/{branch}`, parameters: { branch } });

/** CONFLICT where it exists already, also at the same commit. */
export async function createBranch(repo: Repo, body: unknown): Promise<One<GithubBranch>> {
  const parsed = CreateGithubBranchSchema.safeParse(body);
  if (!parsed.success) return invalid(parsed.error);
  const { name, sha } = parsed.data;
  return one(repo, RefOfGithub, { route: `POST ${REPO}/git/refs`, parameters: { ref: `refs/heads/${name}`, sha } });
}

export async function listCommits(repo: Repo, query: unknown): Promise<Page<GithubCommit>> {
  const parsed = ListGithubCommitsSchema.safeParse(query);
  if (!parsed.success) return invalid(parsed.error);
  return many(repo, z.array(CommitOfGithub), { route: `GET ${REPO}/commits`, parameters: parsed.data });
}

export const getCommit = (repo: Repo, ref: string): Promise<One<GithubCommit>> =>
  one(repo, CommitOfGithub, { route: `GET ${REPO}/commits/{ref}`, parameters: { ref } });

/** What git needs to push here: of an App a token for this repository's contents alone, for an hour. */
export async function gitCredential({ client, config, repository, log }: Repo): Promise<One<GitCredential>> {
  const remote = `${config.gitUrl}/${repository.owner}/${repository.name}.git`;
  if (config.credential.kind === "token") {
    return { ok: true, value: { remote, token: config.credential.token, expires_at: null } };
  }
  const only = { repositories: [repository.name], permissions: { contents: "write" } };
  const minted = await client.mintFor(only, log);
  return minted.ok ? { ok: true, value: { remote, ...minted.minted } } : minted;
}
