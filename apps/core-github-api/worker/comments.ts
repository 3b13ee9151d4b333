import {
  CommentOnGithubIssueSchema,
  fail,
  type GithubComment,
  ListGithubCommentsSchema,
  type Result,
} from "@shared/contracts";
import { z } from "zod";
import { type Authored, AuthoredOfGithub, CommentOfGithub } from "./shapes.ts";
import { invalid, many, type One, one, type Page, REPO, type Repo } from "./verbs.ts";

/** GitHub counts comments of pull requests among those of issues; reviews are something else. */

/** Who wrote what: our App says so by itself, a token's account has to be asked for. Errors: those of asking. */
async function authorship({ client, config, log }: Repo): Promise<Result<{ isOurs: (by: Authored) => boolean }>> {
  const { credential } = config;
  if (credential.kind === "app") {
    const isOurs = ({ user, performed_via_github_app: app }: Authored): boolean =>
      user?.type === "Bot" &&
      app !== null &&
      app !== undefined &&
      [String(app.id), app.client_id].includes(credential.appId);
    return { ok: true, isOurs };
  }
  const asked = await client.login(log);
  if (!asked.ok) return asked;
  const login = asked.login?.toLowerCase();
  return { ok: true, isOurs: ({ user }) => user !== null && user.login.toLowerCase() === login };
}

/** The oldest first. `mine`: written with the credential of this deployment. */
export async function listComments(repo: Repo, number: number, query: unknown): Promise<Page<GithubComment>> {
  const parsed = ListGithubCommentsSchema.safeParse(query);
  if (!parsed.success) return invalid(parsed.error);
  const authors = await authorship(repo);
  if (!authors.ok) return authors;
  return many(repo, z.array(CommentOfGithub(authors.isOurs)), {
    route: `GET ${REPO}/issues/{issue_number}/comments`,
    parameters: { ...parsed.data, issue_number: number },
  });
}

export async function commentOnIssue(repo: Repo, number: number, body: unknown): Promise<One<GithubComment>> {
  const parsed = CommentOnGithubIssueSchema.safeParse(body);
  if (!parsed.success) return invalid(parsed.error);
  return one(
    repo,
    CommentOfGithub(() => true),
    {
      route: `POST ${REPO}/issues/{issue_number}/comments`,
      parameters: { ...parsed.data, issue_number: number },
    },
  );
}

/**
 * Replaces the text of a comment of ours. FORBIDDEN where somebody else wrote it, whatever the credential could;
 * NOT_FOUND where it is gone. Twice is as good as once.
 */
export async function updateComment(repo: Repo, id: number, body: unknown): Promise<One<GithubComment>> {
  const parsed = CommentOnGithubIssueSchema.safeParse(body);
  if (!parsed.success) return invalid(parsed.error);
  const authors = await authorship(repo);
  if (!authors.ok) return authors;
  const at = { comment_id: id };
  const route = `${REPO}/issues/comments/{comment_id}`;
  const found = await one(repo, AuthoredOfGithub, { route: `GET ${route}`, parameters: at });
  if (!found.ok) return found;
  if (!authors.isOurs(found.value)) return fail("FORBIDDEN", "somebody else wrote this comment");
  return one(
    repo,
    CommentOfGithub(() => true),
    {
      route: `PATCH ${route}`,
      parameters: { ...parsed.data, ...at },
      repeatable: true,
    },
  );
}
