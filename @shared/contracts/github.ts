import { z } from "zod";

/**
 * What `core-github-api`, the Worker between this house and GitHub, takes and answers. Fields keep GitHub's own names;
 * what nobody here reads is left out.
 */

const OWNER = /^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,99})$/;
const NAME = /^(?!\.{1,2}$)(?!.*\.git$)[A-Za-z0-9._-]{1,100}$/i;

export interface GithubRepository {
  owner: string;
  name: string;
}

/**
 * The repository that a text names: `owner/name`, `github.com/owner/name` or an https address of it, `.git` or not.
 * Null for anything else; so neither part is ever a path's `..`, and neither holds a slash or a control character.
 */
export function githubRepositoryOf(text: string): GithubRepository | null {
  const [owner = "", rest = "", ...more] = text.replace(/^(?:https:\/\/)?(?:www\.)?github\.com\//i, "").split("/");
  const name = rest.replace(/\.git$/i, "");
  return more.length === 0 && OWNER.test(owner) && NAME.test(name) ? { owner, name } : null;
}

const HAS_CONTROL = /\p{Cc}/u;

/** A branch's name as git allows it (git-check-ref-format), and never what git could take for an option. */
export const BranchNameSchema = z
  .string()
  .min(1)
  .max(200)
  .refine(
    (name) =>
      !HAS_CONTROL.test(name) &&
      name.isWellFormed() &&
      !/[ ~^:?*[\\]|\.\.|@\{|\/\/|^[-/]|[/.]$|^@$/.test(name) &&
      name.split("/").every((part) => !part.startsWith(".") && !part.endsWith(".lock")),
    { error: "is no branch's name" },
  );

/** A branch or a commit's id. */
const RefSchema = BranchNameSchema;
export const CommitIdSchema = z.string().regex(/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/, "expected a commit's id");

const timestamp = z.string();
const text = z.string().refine((value) => value.isWellFormed(), { error: "holds half of a surrogate pair" });

/** GitHub's own bounds, in characters. */
export const GITHUB_MAX_TITLE = 256;
export const GITHUB_MAX_BODY = 65_536;
const title = text.trim().min(1).max(GITHUB_MAX_TITLE);
const body = text.max(GITHUB_MAX_BODY);
const label = text.min(1).max(50);

export const GithubIssueSchema = z.object({
  number: z.number().int().positive(),
  title: z.string(),
  body: z.string().nullable(),
  state: z.enum(["open", "closed"]),
  html_url: z.string(),
  labels: z.array(z.string()),
  /** Login of its author; null for an account that is gone. */
  user: z.string().nullable(),
  assignees: z.array(z.string()),
  comments: z.number().int().nonnegative(),
  /** GitHub counts pull requests among the issues. */
  pull_request: z.boolean(),
  created_at: timestamp,
  updated_at: timestamp,
  closed_at: timestamp.nullable(),
});
export type GithubIssue = z.infer<typeof GithubIssueSchema>;

export const GithubCommentSchema = z.object({
  id: z.number().int(),
  body: z.string(),
  html_url: z.string(),
  user: z.string().nullable(),
  /** Written with this deployment's credential: by its account, or by its App. */
  mine: z.boolean().default(false),
  created_at: timestamp,
});
export type GithubComment = z.infer<typeof GithubCommentSchema>;

const EndSchema = z.object({
  ref: z.string(),
  sha: z.string(),
  /** Whose branch it is, `owner/name`; null: that repository is gone. */
  repo: z.string().nullable().default(null),
});
export const GithubPullRequestSchema = z.object({
  number: z.number().int().positive(),
  title: z.string(),
  body: z.string().nullable(),
  state: z.enum(["open", "closed"]),
  draft: z.boolean(),
  merged_at: timestamp.nullable(),
  html_url: z.string(),
  user: z.string().nullable(),
  head: EndSchema,
  base: EndSchema,
  created_at: timestamp,
  updated_at: timestamp,
  closed_at: timestamp.nullable(),
});
export type GithubPullRequest = z.infer<typeof GithubPullRequestSchema>;

/** A pull request, and what made it where that is on record here. */
export const MadePullRequestSchema = GithubPullRequestSchema.extend({
  /** The order whose branch it comes from. */
  order_id: z.string().nullable(),
  /** The order's last execution whose change was applied. */
  execution_id: z.string().nullable(),
});
export type MadePullRequest = z.infer<typeof MadePullRequestSchema>;
/** An issue on GitHub, and the one here that it was filed for. */
export const FiledGithubIssueSchema = GithubIssueSchema.extend({ ops_issue_id: z.number().int().nullable() });
export type FiledGithubIssue = z.infer<typeof FiledGithubIssueSchema>;

export const GithubBranchSchema = z.object({ name: z.string(), sha: z.string() });
export type GithubBranch = z.infer<typeof GithubBranchSchema>;

export const GithubCommitSchema = z.object({
  sha: z.string(),
  html_url: z.string(),
  message: z.string(),
  author: z.object({ name: z.string(), email: z.string(), date: timestamp }).nullable(),
  parents: z.array(z.string()),
});
export type GithubCommit = z.infer<typeof GithubCommitSchema>;

/** For git itself: where the repository is, and what to show there. Of an App it is good for that repository alone. */
export const GitCredentialSchema = z.object({
  remote: z.url(),
  token: z.string().min(1),
  expires_at: timestamp.nullable(),
});
export type GitCredential = z.infer<typeof GitCredentialSchema>;

/** An order's pull request, as GitHub last told of it. */
export const OrderPullRequestSchema = z.object({
  /** `owner/name`. */
  repository: z.string(),
  number: z.number().int().positive(),
  order_id: z.string(),
  url: z.string(),
  head_ref: z.string(),
  head_sha: z.string(),
  base_ref: z.string(),
  state: z.enum(["open", "closed", "merged"]),
  draft: z.boolean(),
  created_at: timestamp,
  closed_at: timestamp.nullable(),
  merged_at: timestamp.nullable(),
  /** What the checks of its newest commit came to, as far as webhooks told; null: nothing was told. */
  checks: z.enum(["pending", "success", "failure"]).nullable(),
});
export type OrderPullRequest = z.infer<typeof OrderPullRequestSchema>;

const page = {
  page: z.coerce.number().int().min(1).max(10_000).default(1),
  per_page: z.coerce.number().int().min(1).max(100).default(30),
};

export const ListGithubIssuesSchema = z.object({
  state: z.enum(["open", "closed", "all"]).default("open"),
  /** Names, with commas between them: issues that have them all. */
  labels: text.max(500).optional(),
  /** Changed at this time or later. */
  since: z.iso.datetime({ offset: true }).optional(),
  sort: z.enum(["created", "updated", "comments"]).default("created"),
  direction: z.enum(["asc", "desc"]).default("desc"),
  ...page,
});
export type ListGithubIssues = z.input<typeof ListGithubIssuesSchema>;

export const CreateGithubIssueSchema = z.object({
  title,
  body: body.default(""),
  labels: z.array(label).max(100).default([]),
});
export type CreateGithubIssue = z.input<typeof CreateGithubIssueSchema>;

/** GitHub knows open and closed. `in_progress` is an open issue with this label, and somebody it is assigned to. */
export const IN_PROGRESS_LABEL = "in progress";
export const UpdateGithubIssueSchema = z.object({ state: z.enum(["open", "in_progress", "closed"]) });
export type GithubIssueState = z.infer<typeof UpdateGithubIssueSchema>["state"];

export const CommentOnGithubIssueSchema = z.object({ body: body.refine((value) => value.trim() !== "", "is empty") });
export const ListGithubCommentsSchema = z.object(page);

/** The answer of `/v1/repo/:repo/reachable`: the repository is on the list. Nothing is asked of GitHub. */
export const GithubReachableSchema = z.object({ repository: z.string() });

export const ListGithubPullsSchema = z.object({
  state: z.enum(["open", "closed", "all"]).default("open"),
  /** The branch a pull request comes from, of the repository itself. */
  head: BranchNameSchema.optional(),
  base: BranchNameSchema.optional(),
  ...page,
});
export type ListGithubPulls = z.input<typeof ListGithubPullsSchema>;

export const CreateGithubPullSchema = z.object({
  title,
  head: BranchNameSchema,
  base: BranchNameSchema,
  body: body.default(""),
  draft: z.boolean().default(false),
});
export type CreateGithubPull = z.input<typeof CreateGithubPullSchema>;

export const ListGithubBranchesSchema = z.object(page);
export const CreateGithubBranchSchema = z.object({ name: BranchNameSchema, sha: CommitIdSchema });
export const ListGithubCommitsSchema = z.object({ sha: RefSchema.optional(), ...page });

export const SearchGithubIssuesSchema = z.object({
  /** Words, and GitHub's qualifiers but those that name where to search: that is the repository of the address. */
  q: text.trim().min(1).max(200),
  ...page,
});
