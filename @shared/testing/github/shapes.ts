import type { Issue, Repository, World } from "./world.ts";
import { commitOf, git } from "./git.ts";

/** What GitHub answers with, as far as its documents name the fields that a client may read. */

const user = (login: string) => ({
  login,
  id: 1,
  type: login.endsWith("[bot]") || login.startsWith("installation-") ? "Bot" : "User",
  html_url: `https://github.com/${login}`,
});

const apiOf = (base: string, repository: Repository): string => `${base}/repos/${repository.owner}/${repository.name}`;
const htmlOf = (base: string, repository: Repository): string => `${base}/${repository.owner}/${repository.name}`;

export const repositoryShape = (base: string, repository: Repository) => ({
  id: repository.id,
  name: repository.name,
  full_name: `${repository.owner}/${repository.name}`,
  owner: user(repository.owner),
  private: repository.private,
  html_url: htmlOf(base, repository),
  url: apiOf(base, repository),
  clone_url: `${htmlOf(base, repository)}.git`,
  default_branch: repository.defaultBranch,
  has_issues: repository.hasIssues,
});

export const issueShape = (base: string, repository: Repository, issue: Issue) => ({
  id: issue.id,
  node_id: `I_${issue.id}`,
  url: `${apiOf(base, repository)}/issues/${issue.number}`,
  repository_url: apiOf(base, repository),
  html_url: `${htmlOf(base, repository)}/${issue.pull ? "pull" : "issues"}/${issue.number}`,
  number: issue.number,
  title: issue.title,
  body: issue.body,
  state: issue.state,
  state_reason: issue.state === "closed" ? "completed" : null,
  locked: false,
  user: user(issue.author),
  labels: issue.labels.map((name, index) => ({ id: index + 1, name, color: "ededed", default: false })),
  assignees: issue.assignees.map(user),
  assignee: issue.assignees[0] === undefined ? null : user(issue.assignees[0]),
  comments: issue.comments.length,
  created_at: issue.created_at,
  updated_at: issue.updated_at,
  closed_at: issue.closed_at,
  author_association: "NONE",
  ...(issue.pull
    ? {
        draft: issue.pull.draft,
        pull_request: {
          url: `${apiOf(base, repository)}/pulls/${issue.number}`,
          html_url: `${htmlOf(base, repository)}/pull/${issue.number}`,
          diff_url: `${htmlOf(base, repository)}/pull/${issue.number}.diff`,
          merged_at: issue.pull.merged_at,
        },
      }
    : {}),
});

export const commentShape = (
  base: string,
  repository: Repository,
  issue: Issue,
  comment: Issue["comments"][number],
) => ({
  id: comment.id,
  url: `${apiOf(base, repository)}/issues/comments/${comment.id}`,
  html_url: `${htmlOf(base, repository)}/issues/${issue.number}#issuecomment-${comment.id}`,
  issue_url: `${apiOf(base, repository)}/issues/${issue.number}`,
  body: comment.body,
  user: user(comment.author),
  performed_via_github_app:
    comment.app === null ? null : { id: comment.app, client_id: `Iv1.${comment.app}`, slug: "app" },
  created_at: comment.created_at,
  updated_at: comment.updated_at,
});

export async function pullShape(base: string, repository: Repository, issue: Issue, single: boolean) {
  const pull = issue.pull;
  if (pull === null) throw new Error(`#${issue.number} is no pull request`);
  const [head, target] = await Promise.all([
    commitOf(repository.path, `refs/heads/${pull.head}`),
    commitOf(repository.path, `refs/heads/${pull.base}`),
  ]);
  const end = (ref: string, sha: string | null) => ({
    label: `${repository.owner}:${ref}`,
    ref,
    sha: sha ?? "0".repeat(40),
    user: user(repository.owner),
    repo: repositoryShape(base, repository),
  });
  const api = `${apiOf(base, repository)}/pulls/${issue.number}`;
  const html = `${htmlOf(base, repository)}/pull/${issue.number}`;
  const {
    pull_request: _,
    comments,
    repository_url: __,
    ...common
  } = {
    pull_request: undefined,
    ...issueShape(base, repository, issue),
  };
  return {
    ...common,
    url: api,
    html_url: html,
    diff_url: `${html}.diff`,
    patch_url: `${html}.patch`,
    draft: pull.draft,
    merged_at: pull.merged_at,
    merge_commit_sha: null,
    head: end(pull.head, head),
    base: end(pull.base, target),
    ...(single
      ? {
          comments,
          merged: pull.merged_at !== null,
          // GitHub works it out in the background.
          mergeable: null,
          mergeable_state: "unknown",
          commits:
            head && target ? Number(await git(repository.path, ["rev-list", "--count", `${target}..${head}`])) : 0,
          changed_files: 0,
          additions: 0,
          deletions: 0,
        }
      : {}),
  };
}

const SEPARATOR = "\u001f";

/** Commits from a name on, newest first. */
export async function commitShapes(base: string, repository: Repository, from: string, more: readonly string[] = []) {
  const format = ["%H", "%T", "%P", "%an", "%ae", "%aI", "%cn", "%ce", "%cI", "%B"].join("%x1f");
  const out = await git(repository.path, ["log", "-z", `--format=${format}`, ...more, "--end-of-options", from, "--"]);
  const html = htmlOf(base, repository);
  return out
    .split("\0")
    .filter((record) => record !== "")
    .map((record) => {
      const [sha = "", tree = "", parents = "", an, ae, ad, cn, ce, cd, message = ""] = record.split(SEPARATOR);
      return {
        sha,
        url: `${apiOf(base, repository)}/commits/${sha}`,
        html_url: `${html}/commit/${sha}`,
        commit: {
          author: { name: an, email: ae, date: ad },
          committer: { name: cn, email: ce, date: cd },
          message: message.trimEnd(),
          tree: { sha: tree, url: `${apiOf(base, repository)}/git/trees/${tree}` },
          comment_count: 0,
          verification: { verified: false, reason: "unsigned", signature: null, payload: null },
        },
        author: null,
        committer: null,
        parents: parents
          .split(" ")
          .filter((parent) => parent !== "")
          .map((parent) => ({ sha: parent, url: `${apiOf(base, repository)}/commits/${parent}` })),
      };
    });
}

export const apiPathOf = (repository: Repository, rest: string): string => `/repositories/${repository.id}${rest}`;

export const authorOf = (world: World, login: string | undefined): string => {
  if (login === undefined) throw new Error("somebody writes without a token");
  return world.apps.size > 0 && login.startsWith("installation-") ? `${login}[bot]` : login;
};
