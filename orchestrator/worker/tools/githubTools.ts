import {
  CreateGithubIssueSchema,
  fail,
  type GithubComment,
  type GithubIssue,
  type GithubPullRequest,
  githubRepositoryOf,
  IN_PROGRESS_LABEL,
  type Result,
  SearchGithubIssuesSchema,
  UpdateGithubIssueSchema,
} from "@shared/contracts";
import { z } from "zod";
import * as github from "../integrations/github.ts";
import { fitting, type Tool, tool, written } from "./tool.ts";

type ToolEnv = github.GithubEnv & Pick<Env, "GITHUB_OWNER" | "GITHUB_REPO">;

/** Characters of a body in a list, of the one that was asked for, and of a diff. */
const MAX_EXCERPT = 500;
const MAX_TEXT = 16_000;
const MAX_DIFF = 48_000;

const repo = z
  .string()
  .min(1)
  .max(201)
  .optional()
  .describe("owner/name, or a name of the default owner's. Default: the repository that VibeHQ is set up for");
const number = z.number().int().positive().max(999_999_999).describe("The issue's or pull request's number");
const page = z.number().int().min(1).max(10_000).default(1);
const per_page = z.number().int().min(1).max(30).default(20);
const state = z.enum(["open", "closed", "all"]).default("open");
const body = CreateGithubIssueSchema.shape.body;

interface Of {
  owner: string;
  repo: string;
}

/** The repository that is meant; core-github-api refuses what is not on its list. */
function repositoryOf(env: ToolEnv, given: string | undefined): Result<{ of: Of; full: string }> {
  const { GITHUB_OWNER: owner, GITHUB_REPO: name } = env;
  const text = given === undefined ? `${owner}/${name}` : given.includes("/") ? given : `${owner}/${given}`;
  const found = githubRepositoryOf(text);
  return found
    ? { ok: true, of: { owner: found.owner, repo: found.name }, full: `${found.owner}/${found.name}` }
    : fail("VALIDATION_FAILED", "repo: name a repository as owner/name; no default is set up");
}

/**
 * GitHub for agents: lists, searches, reads, and writes on issues, in the repositories that core-github-api may reach. Each
 * answer is bounded, and marked as what others wrote; each error is one an agent can act on.
 */
export function getGitHubTools(env: ToolEnv): readonly Tool[] {
  const within = async (
    given: string | undefined,
    work: (at: { of: Of; full: string }) => Promise<Result<{ data: unknown }>>,
  ) => {
    const found = repositoryOf(env, given);
    return found.ok ? work(found) : found;
  };
  return [
    tool({
      name: "listIssues",
      description:
        "List a repository's issues, newest first; pull requests are among them and say so. Bodies are excerpts.",
      scope: "github:read",
      readOnly: true,
      inputSchema: z.object({
        repo,
        state,
        labels: z.string().max(500).optional().describe("Names with commas between them: issues that have them all"),
        page,
        per_page,
      }),
      call: ({ repo: given, ...query }) =>
        within(given, async ({ full }) => {
          const found = await github.listRepoIssues(env, { repo: full, ...query });
          return found.ok ? pageOf(full, found.issues.map(issueOf(MAX_EXCERPT)), found.next) : found;
        }),
    }),
    tool({
      name: "listPRs",
      description: "List a repository's pull requests, newest first. Bodies are excerpts.",
      scope: "github:read",
      readOnly: true,
      inputSchema: z.object({ repo, state, page, per_page }),
      call: ({ repo: given, ...query }) =>
        within(given, async ({ full }) => {
          const found = await github.listRepoPRs(env, { repo: full, ...query });
          return found.ok ? pageOf(full, found.prs.map(pullOf(MAX_EXCERPT)), found.next) : found;
        }),
    }),
    tool({
      name: "searchIssues",
      description:
        "Search one repository's issues and pull requests by words and GitHub's qualifiers, such as is:open or label:bug.",
      scope: "github:read",
      readOnly: true,
      inputSchema: z.object({ repo, q: SearchGithubIssuesSchema.shape.q, page }),
      call: ({ repo: given, ...query }) =>
        within(given, async ({ of, full }) => {
          const found = await github.searchIssues(env, { ...of, ...query });
          return found.ok ? pageOf(full, found.issues.map(issueOf(MAX_EXCERPT)), found.next) : found;
        }),
    }),
    tool({
      name: "getIssue",
      description: "Read one issue with its body.",
      scope: "github:read",
      readOnly: true,
      inputSchema: z.object({ repo, number }),
      call: ({ repo: given, number: n }) =>
        within(given, async ({ full }) => {
          const found = await github.getIssue(env, { repo: full, number: n });
          return found.ok ? { ok: true, data: { repository: full, issue: issueOf(MAX_TEXT)(found.issue) } } : found;
        }),
    }),
    tool({
      name: "listComments",
      description: "Read the comments on an issue or a pull request, oldest first.",
      scope: "github:read",
      readOnly: true,
      inputSchema: z.object({ repo, number, page, per_page }),
      call: ({ repo: given, ...query }) =>
        within(given, async ({ full }) => {
          const found = await github.listComments(env, { repo: full, ...query });
          return found.ok ? pageOf(full, found.comments.map(commentOf), found.next) : found;
        }),
    }),
    tool({
      name: "getPR",
      description: "Read one pull request with its body.",
      scope: "github:read",
      readOnly: true,
      inputSchema: z.object({ repo, number }),
      call: ({ repo: given, number: n }) =>
        within(given, async ({ of, full }) => {
          const found = await github.getPullRequest(env, { ...of, number: n });
          return found.ok ? { ok: true, data: { repository: full, pr: pullOf(MAX_TEXT)(found.pullRequest) } } : found;
        }),
    }),
    tool({
      name: "getPRDiff",
      description: `Read a pull request as a git diff, ${MAX_DIFF} characters at a time; next_offset leads on.`,
      scope: "github:read",
      readOnly: true,
      inputSchema: z.object({ repo, number, offset: z.number().int().min(0).max(100_000_000).default(0) }),
      call: ({ repo: given, number: n, offset }) =>
        within(given, async ({ of, full }) => {
          const found = await github.pullRequestDiff(env, { ...of, number: n });
          return found.ok ? { ok: true, data: { repository: full, number: n, ...partOf(found.diff, offset) } } : found;
        }),
    }),
    tool({
      name: "createIssue",
      description:
        "Open an issue. Not idempotent: where nothingWritten is null, search before asking again. It mentions nobody.",
      scope: "github:write",
      readOnly: false,
      inputSchema: z.object({
        repo,
        title: CreateGithubIssueSchema.shape.title,
        body,
        labels: z.array(ownLabel()).max(20).default([]),
      }),
      call: ({ repo: given, title, body: text, labels }) =>
        within(given, async ({ full }) => {
          const made = await github.createIssue(env, { repo: full, title: inert(title), body: inert(text), labels });
          return made.ok ? { ok: true, data: { repository: full, issue: issueOf(MAX_EXCERPT)(made.issue) } } : made;
        }),
    }),
    tool({
      name: "commentOnIssue",
      description: "Comment on an issue or a pull request. Not idempotent. It mentions nobody.",
      scope: "github:write",
      readOnly: false,
      inputSchema: z.object({ repo, number, body: z.string().trim().min(1).max(60_000) }),
      call: ({ repo: given, number: n, body: text }) =>
        within(given, async ({ full }) => {
          const made = await github.commentOnIssue(env, { repo: full, number: n, body: inert(text) });
          return made.ok ? { ok: true, data: { repository: full, comment: commentOf(made.comment) } } : made;
        }),
    }),
    tool({
      name: "updateIssueState",
      description: `Set an issue open, in_progress (open, labelled "${IN_PROGRESS_LABEL}" and assigned) or closed. Setting it twice does no harm.`,
      scope: "github:write",
      readOnly: false,
      inputSchema: z.object({ repo, number, ...UpdateGithubIssueSchema.shape }),
      call: ({ repo: given, ...input }) => within(given, ({ full }) => setState(env, full, input)),
    }),
    tool({
      name: "closeIssue",
      description: "Close an issue. Closing it twice does no harm.",
      scope: "github:write",
      readOnly: false,
      inputSchema: z.object({ repo, number }),
      call: ({ repo: given, number: n }) =>
        within(given, ({ full }) => setState(env, full, { number: n, state: "closed" })),
    }),
  ];
}

async function setState(
  env: ToolEnv,
  full: string,
  input: { number: number; state: z.infer<typeof UpdateGithubIssueSchema>["state"] },
): Promise<Result<{ data: unknown }>> {
  const moved = await github.updateIssueState(env, { repo: full, ...input });
  return moved.ok ? { ok: true, data: { repository: full, issue: issueOf(MAX_EXCERPT)(moved.issue) } } : moved;
}

/** Labels by which this house knows its own are not an agent's to give. */
function ownLabel() {
  return z
    .string()
    .min(1)
    .max(50)
    .refine((label) => !label.toLowerCase().startsWith("vibehq"), {
      error: "labels of VibeHQ's own are not given by hand",
    });
}

/** An agent's words: they mention nobody, and hold no hidden line by which a comment or an issue of ours is known. */
const inert = (text: string): string =>
  text
    .toWellFormed()
    .replaceAll("<!--", "<! --")
    .replaceAll(/@(?=[\w-])/g, "@\u200b");

const pageOf = (repository: string, items: readonly unknown[], next: number | null): Result<{ data: unknown }> => ({
  ok: true,
  data: { repository, ...fitting(items), next_page: next },
});

const issueOf =
  (max: number) =>
  ({ title, body: text, labels, ...issue }: GithubIssue) => ({
    ...issue,
    title: written(title, 256),
    labels: labels.slice(0, 50).map((label) => written(label, 50)),
    assignees: issue.assignees.slice(0, 20),
    body: written(text, max),
  });

const pullOf =
  (max: number) =>
  ({ title, body: text, ...pull }: GithubPullRequest) => ({
    ...pull,
    title: written(title, 256),
    body: written(text, max),
  });

const commentOf = ({ body: text, ...comment }: GithubComment) => ({ ...comment, body: written(text, MAX_TEXT / 4) });

/** A part of a diff such that its JSON, where each character may become two, still fits an answer. */
function partOf(diff: string, offset: number) {
  let end = Math.min(diff.length, offset + MAX_DIFF);
  while (end > offset && JSON.stringify(diff.slice(offset, end)).length > MAX_DIFF * 1.2) {
    end = offset + Math.floor((end - offset) / 2);
  }
  // A character of two halves is not cut in the middle.
  const part = diff.slice(offset, end);
  const clean = part.isWellFormed() || end >= diff.length ? part : part.slice(0, -1);
  const next = offset + clean.length;
  return { diff: clean.toWellFormed(), offset, total: diff.length, next_offset: next < diff.length ? next : null };
}
