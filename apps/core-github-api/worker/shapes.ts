import type { GithubBranch, GithubComment, GithubCommit, GithubIssue, GithubPullRequest } from "@shared/contracts";
import { z } from "zod";

/** GitHub's own forms, read as far as this house uses them. */

const login = z
  .object({ login: z.string() })
  .nullable()
  .transform((user) => user?.login ?? null);
const labels = z
  .array(z.union([z.string(), z.object({ name: z.string().nullish() })]))
  .transform((all) => all.map((label) => (typeof label === "string" ? label : (label.name ?? ""))));

export const IssueOfGithub = z
  .object({
    number: z.number(),
    title: z.string(),
    body: z.string().nullish(),
    state: z.enum(["open", "closed"]),
    html_url: z.string(),
    labels,
    user: login,
    assignees: z.array(z.object({ login: z.string() })).nullish(),
    comments: z.number(),
    pull_request: z.unknown().optional(),
    created_at: z.string(),
    updated_at: z.string(),
    closed_at: z.string().nullish(),
  })
  .transform(({ body, assignees, pull_request, closed_at, ...issue }): GithubIssue => ({
    ...issue,
    body: body ?? null,
    assignees: (assignees ?? []).map((assignee) => assignee.login),
    pull_request: pull_request !== undefined && pull_request !== null,
    closed_at: closed_at ?? null,
  }));

const authored = z.object({
  user: z.object({ login: z.string(), type: z.string().optional() }).nullable(),
  performed_via_github_app: z.object({ id: z.number(), client_id: z.string().nullish() }).nullish(),
});
/** What GitHub says of who wrote something. */
export type Authored = z.infer<typeof authored>;

export const CommentOfGithub = (isOurs: (authored: Authored) => boolean) =>
  authored
    .extend({ id: z.number(), body: z.string().nullish(), html_url: z.string(), created_at: z.string() })
    .transform(({ body, user, performed_via_github_app: app, ...comment }): GithubComment => ({
      ...comment,
      body: body ?? "",
      user: user?.login ?? null,
      mine: isOurs({ user, performed_via_github_app: app }),
    }));
export const AuthoredOfGithub = authored;
export const UserOfGithub = z.object({ login: z.string().min(1) });

const end = z
  .object({ ref: z.string(), sha: z.string(), repo: z.object({ full_name: z.string() }).nullish() })
  .transform(({ ref, sha, repo }) => ({ ref, sha, repo: repo?.full_name ?? null }));
export const PullOfGithub = z
  .object({
    number: z.number(),
    title: z.string(),
    body: z.string().nullish(),
    state: z.enum(["open", "closed"]),
    draft: z.boolean().nullish(),
    merged_at: z.string().nullish(),
    html_url: z.string(),
    user: login,
    head: end,
    base: end,
    created_at: z.string(),
    updated_at: z.string(),
    closed_at: z.string().nullish(),
  })
  .transform(({ body, draft, merged_at, closed_at, ...pull }): GithubPullRequest => ({
    ...pull,
    body: body ?? null,
    draft: draft ?? false,
    merged_at: merged_at ?? null,
    closed_at: closed_at ?? null,
  }));

export const BranchOfGithub = z
  .object({ name: z.string(), commit: z.object({ sha: z.string() }) })
  .transform(({ name, commit }): GithubBranch => ({ name, sha: commit.sha }));

export const RefOfGithub = z
  .object({ ref: z.string(), object: z.object({ sha: z.string() }) })
  .transform(({ ref, object }): GithubBranch => ({ name: ref.replace(/^refs\/heads\//, ""), sha: object.sha }));

export const CommitOfGithub = z
  .object({
    sha: z.string(),
    html_url: z.string(),
    commit: z.object({
      message: z.string(),
      author: z
        .object({ name: z.string().nullish(), email: z.string().nullish(), date: z.string().nullish() })
        .nullable(),
    }),
    parents: z.array(z.object({ sha: z.string() })),
  })
  .transform(({ sha, html_url, commit: { message, author }, parents }): GithubCommit => ({
    sha,
    html_url,
    message,
    author: author && { name: author.name ?? "", email: author.email ?? "", date: author.date ?? "" },
    parents: parents.map((parent) => parent.sha),
  }));

/** Of the results of a search, those of one repository: whatever the words of the search have widened it to. */
export const SearchOfGithub = (owner: string, name: string) =>
  z
    .object({ items: z.array(z.object({ repository_url: z.string() }).and(IssueOfGithub)) })
    .transform(({ items }) =>
      items
        .filter(({ repository_url: url }) => url.toLowerCase().endsWith(`/repos/${owner}/${name}`.toLowerCase()))
        .map(({ repository_url: _url, ...issue }): GithubIssue => issue),
    );
