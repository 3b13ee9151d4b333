import { fail, type GithubIssue, IN_PROGRESS_LABEL, type Result, UpdateGithubIssueSchema } from "@shared/contracts";
import type { Ask } from "./github/GithubClient.ts";
import { IssueOfGithub } from "./shapes.ts";
import { invalid, type One, one, REPO, type Repo, send } from "./verbs.ts";

/**
 * GitHub knows open and closed. `in_progress` is an open issue with a label of that name, assigned to GITHUB_ASSIGNEE or
 * to the token's own account. Either other state takes both away again; whom others have assigned stays. Each part is
 * set and not toggled, so that asking again makes good what was cut off.
 */
export async function updateIssueState(repo: Repo, number: number, body: unknown): Promise<One<GithubIssue>> {
  const parsed = UpdateGithubIssueSchema.safeParse(body);
  if (!parsed.success) return invalid(parsed.error);
  const { state } = parsed.data;
  const at = { issue_number: number };
  const updated = await one(repo, IssueOfGithub, {
    route: `PATCH ${REPO}/issues/{issue_number}`,
    parameters: { ...at, state: state === "closed" ? "closed" : "open" },
  });
  if (!updated.ok) return updated;
  let issue = updated.value;
  const isMarked = issue.labels.includes(IN_PROGRESS_LABEL);
  if (!isMarked && state !== "in_progress") return updated;

  // Before the label is taken away, which says that there is somebody to be unassigned.
  const assigned = await assign(repo, issue, state === "in_progress");
  if (!assigned.ok) return assigned;
  ({ issue } = assigned);
  if (isMarked && state === "in_progress") return { ok: true, value: issue };
  const marked = await send(
    repo,
    isMarked
      ? {
          route: `DELETE ${REPO}/issues/{issue_number}/labels/{name}`,
          parameters: { ...at, name: IN_PROGRESS_LABEL },
        }
      : { route: `POST ${REPO}/issues/{issue_number}/labels`, parameters: { ...at, labels: [IN_PROGRESS_LABEL] } },
  );
  // Somebody else took it away first.
  if (!marked.ok && !(isMarked && marked.error.code === "NOT_FOUND")) {
    return fail(marked.error.code, `the issue's state is set, its label is not: ${marked.error.message}`, {
      nothingWritten: false,
    });
  }
  const others = issue.labels.filter((label) => label !== IN_PROGRESS_LABEL);
  return { ok: true, value: { ...issue, labels: isMarked ? others : [...others, IN_PROGRESS_LABEL] } };
}

/** What GitHub does not take an assignee for is in progress all the same; only what may be tried again is a failure. */
async function assign(repo: Repo, issue: GithubIssue, wanted: boolean): Promise<Result<{ issue: GithubIssue }>> {
  const login = await assigneeOf(repo);
  if (!login.ok) return incomplete(repo, issue, login);
  const { assignee } = login;
  const is = assignee !== null && issue.assignees.some((one) => one.toLowerCase() === assignee.toLowerCase());
  if (assignee === null || is === wanted) return { ok: true, issue };
  const ask: Ask = {
    route: `${wanted ? "POST" : "DELETE"} ${REPO}/issues/{issue_number}/assignees`,
    parameters: { issue_number: issue.number, assignees: [assignee] },
    repeatable: true,
  };
  const changed = await one(repo, IssueOfGithub, ask);
  return changed.ok ? { ok: true, issue: changed.value } : incomplete(repo, issue, changed);
}

async function assigneeOf({ client, config, log }: Repo): Promise<Result<{ assignee: string | null }>> {
  if (config.assignee !== null) return { ok: true, assignee: config.assignee };
  const login = await client.login(log);
  return login.ok ? { ok: true, assignee: login.login } : login;
}

function incomplete(
  { log }: Repo,
  issue: GithubIssue,
  { error }: Extract<Result<object>, { ok: false }>,
): Result<{ issue: GithubIssue }> {
  if (error.retryable) {
    return fail(error.code, `the issue's state is set, its assignee is not: ${error.message}`, {
      nothingWritten: false,
    });
  }
  log.warn("an issue's assignee could not be set", { issue: issue.number, code: error.code });
  return { ok: true, issue };
}
