import { need, oneOf, page, param, repositoryOf, type Answer, type Call, type Handler } from "./call.ts";
import { apiPathOf, authorOf, commentShape, issueShape } from "./shapes.ts";
import { invalid, notFound, Refusal, type Issue, type Repository } from "./world.ts";

const MAX_TITLE = 256;
const MAX_BODY = 65_536;

/** A text that GitHub would store, or its refusal. */
function textField(resource: string, body: Record<string, unknown>, field: string, max: number): string | null {
  const value = body[field];
  if (value === undefined || value === null) return null;
  if (typeof value !== "string" && typeof value !== "number") {
    throw new Refusal(422, `Invalid request.\n\nFor 'properties/${field}', ${JSON.stringify(value)} is not a string.`);
  }
  const text = String(value);
  if (Array.from(text).length > max) {
    const message = `${field} is too long (maximum is ${max} characters)`;
    throw invalid({ resource, field, code: "custom", message });
  }
  return text;
}

function labelsField(body: Record<string, unknown>): string[] | null {
  const { labels } = body;
  if (labels === undefined || labels === null) return null;
  if (!Array.isArray(labels))
    throw new Refusal(422, "Invalid request.\n\nFor 'properties/labels', it is not an array.");
  return labels.map((label: unknown) => {
    const name = typeof label === "object" && label !== null && "name" in label ? label.name : label;
    if (typeof name !== "string" || name === "" || name.length > 50) {
      throw invalid({ resource: "Label", field: "name", code: "invalid" });
    }
    return name;
  });
}

export function issueOf(call: Call, repository: Repository, index = 2): Issue {
  const issue = repository.issues.find(({ number }) => String(number) === param(call, index));
  if (!issue) throw notFound();
  return issue;
}

const listIssues: Handler = (call) => {
  const { repository, may } = repositoryOf(call);
  need(may, "issues", "read");
  if (!repository.hasIssues) throw new Refusal(410, "Issues has been disabled in this repository.");
  const { query } = call;
  const state = oneOf(query.get("state"), ["open", "closed", "all"], "open");
  const sort = oneOf(query.get("sort"), ["created", "updated", "comments"], "created");
  const direction = oneOf(query.get("direction"), ["asc", "desc"], "desc");
  const since = query.get("since");
  if (since !== null && Number.isNaN(Date.parse(since))) {
    throw invalid({ resource: "Issue", field: "since", code: "invalid" });
  }
  const labels = (query.get("labels") ?? "").split(",").filter((label) => label !== "");
  const key = (issue: Issue): number =>
    sort === "comments" ? issue.comments.length : Date.parse(sort === "updated" ? issue.updated_at : issue.created_at);
  const found = repository.issues
    .filter((issue) => state === "all" || issue.state === state)
    .filter((issue) => labels.every((label) => issue.labels.some((has) => has.toLowerCase() === label.toLowerCase())))
    .filter((issue) => since === null || Date.parse(issue.updated_at) >= Date.parse(since))
    .toSorted((a, b) => (key(a) - key(b) || a.number - b.number) * (direction === "asc" ? 1 : -1));
  const { items, headers } = page(call, found, apiPathOf(repository, "/issues"));
  return { status: 200, headers, body: items.map((issue) => issueShape(call.base, repository, issue)) };
};

const createIssue: Handler = (call) => {
  const { repository, may } = repositoryOf(call);
  need(may, "issues", "write");
  if (!repository.hasIssues) throw new Refusal(410, "Issues has been disabled in this repository.");
  const title = textField("Issue", call.body, "title", MAX_TITLE);
  if (title === null) throw new Refusal(422, 'Invalid request.\n\n"title" wasn\'t supplied.');
  if (title.trim() === "") throw invalid({ resource: "Issue", field: "title", code: "missing_field" });
  const issue = call.world.addIssue(repository, authorOf(call.world, call.principal?.login), {
    title,
    body: textField("Issue", call.body, "body", MAX_BODY),
    labels: labelsField(call.body) ?? [],
  });
  const body = issueShape(call.base, repository, issue);
  return { status: 201, body, headers: { location: body.url } };
};

const getIssue: Handler = (call) => {
  const { repository, may } = repositoryOf(call);
  need(may, "issues", "read");
  return { status: 200, body: issueShape(call.base, repository, issueOf(call, repository)) };
};

const updateIssue: Handler = (call) => {
  const { repository, may } = repositoryOf(call);
  need(may, "issues", "write");
  const issue = issueOf(call, repository);
  const { body } = call;
  const title = textField("Issue", body, "title", MAX_TITLE);
  const text = textField("Issue", body, "body", MAX_BODY);
  const labels = labelsField(body);
  if (body.state !== undefined && body.state !== "open" && body.state !== "closed") {
    throw invalid({ resource: "Issue", field: "state", code: "invalid" });
  }
  if (title !== null) issue.title = title;
  if (text !== null) issue.body = text;
  if (labels !== null) issue.labels = labels;
  if (body.state === "open" || body.state === "closed") {
    if (body.state !== issue.state) issue.closed_at = body.state === "closed" ? call.world.timestamp() : null;
    issue.state = body.state;
  }
  issue.updated_at = call.world.timestamp();
  return { status: 200, body: issueShape(call.base, repository, issue) };
};

const addLabels: Handler = (call) => {
  const { repository, may } = repositoryOf(call);
  need(may, "issues", "write");
  const issue = issueOf(call, repository);
  const labels = labelsField(call.body);
  if (labels === null) throw new Refusal(422, 'Invalid request.\n\n"labels" wasn\'t supplied.');
  issue.labels = [...new Set([...issue.labels, ...labels])];
  issue.updated_at = call.world.timestamp();
  return labelsAnswer(call, repository, issue);
};

const removeLabel: Handler = (call) => {
  const { repository, may } = repositoryOf(call);
  need(may, "issues", "write");
  const issue = issueOf(call, repository);
  const name = param(call, 3).toLowerCase();
  if (!issue.labels.some((label) => label.toLowerCase() === name)) throw new Refusal(404, "Label does not exist");
  issue.labels = issue.labels.filter((label) => label.toLowerCase() !== name);
  return labelsAnswer(call, repository, issue);
};

const labelsAnswer = (call: Call, repository: Repository, issue: Issue): Answer => ({
  status: 200,
  body: issueShape(call.base, repository, issue).labels,
});

const appOfInstallation = ({ world, principal }: Call): number | null => {
  if (principal?.kind !== "installation") return null;
  const app = [...world.apps.values()].find(
    ({ installationId }) => principal.login === `installation-${installationId}`,
  );
  return app === undefined ? null : Number(app.id);
};

const listComments: Handler = (call) => {
  const { repository, may } = repositoryOf(call);
  need(may, "issues", "read");
  const issue = issueOf(call, repository);
  const { items, headers } = page(call, issue.comments, apiPathOf(repository, `/issues/${issue.number}/comments`));
  return {
    status: 200,
    headers,
    body: items.map((comment) => commentShape(call.base, repository, issue, comment)),
  };
};

const createComment: Handler = (call) => {
  const { repository, may } = repositoryOf(call);
  need(may, "issues", "write");
  const issue = issueOf(call, repository);
  const body = textField("IssueComment", call.body, "body", MAX_BODY);
  if (body === null) throw new Refusal(422, 'Invalid request.\n\n"body" wasn\'t supplied.');
  if (body.trim() === "") throw invalid({ resource: "IssueComment", field: "body", code: "missing_field" });
  const now = call.world.timestamp();
  const comment = {
    id: call.world.id(),
    body,
    author: authorOf(call.world, call.principal?.login),
    app: appOfInstallation(call),
    created_at: now,
    updated_at: now,
  };
  issue.comments.push(comment);
  issue.updated_at = now;
  const shape = commentShape(call.base, repository, issue, comment);
  return { status: 201, body: shape, headers: { location: shape.url } };
};

const commentOf = (call: Call, repository: Repository): { issue: Issue; comment: Issue["comments"][number] } => {
  for (const issue of repository.issues) {
    const comment = issue.comments.find(({ id }) => String(id) === param(call, 2));
    if (comment) return { issue, comment };
  }
  throw notFound();
};

const getComment: Handler = (call) => {
  const { repository, may } = repositoryOf(call);
  need(may, "issues", "read");
  const { issue, comment } = commentOf(call, repository);
  return { status: 200, body: commentShape(call.base, repository, issue, comment) };
};

/** Who may write the repository may change anybody's comment. */
const updateComment: Handler = (call) => {
  const { repository, may } = repositoryOf(call);
  need(may, "issues", "write");
  const { issue, comment } = commentOf(call, repository);
  const body = textField("IssueComment", call.body, "body", MAX_BODY);
  if (body === null) throw new Refusal(422, 'Invalid request.\n\n"body" wasn\'t supplied.');
  comment.body = body;
  comment.updated_at = call.world.timestamp();
  return { status: 200, body: commentShape(call.base, repository, issue, comment) };
};

const deleteComment: Handler = (call) => {
  const { repository, may } = repositoryOf(call);
  need(may, "issues", "write");
  const { issue, comment } = commentOf(call, repository);
  issue.comments.splice(issue.comments.indexOf(comment), 1);
  return { status: 204, text: "" };
};

/** Whom GitHub cannot assign it leaves out without a word, as its documents say; Apps are among them. */
const assignees =
  (change: (has: readonly string[], named: readonly string[]) => string[]): Handler =>
  (call) => {
    const { repository, may } = repositoryOf(call);
    need(may, "issues", "write");
    const issue = issueOf(call, repository);
    const named = Array.isArray(call.body.assignees) ? call.body.assignees.map(String) : [];
    const people = new Set([...call.world.tokens.values()].map(({ kind, login }) => (kind === "user" ? login : "")));
    issue.assignees = change(issue.assignees, named).filter(
      (login) => people.has(login) || issue.assignees.includes(login),
    );
    issue.updated_at = call.world.timestamp();
    const body = issueShape(call.base, repository, issue);
    return { status: call.method === "POST" ? 201 : 200, body };
  };

/** The account of a token; an installation has none. */
const getUser: Handler = ({ principal }) => {
  if (principal === null) throw new Refusal(401, "Requires authentication");
  if (principal.kind !== "user") throw new Refusal(403, "Resource not accessible by integration");
  return { status: 200, body: { login: principal.login, id: 1, type: "User" } };
};

/** The first thousand results are all that search gives. */
const MAX_RESULTS = 1_000;

const searchIssues: Handler = (call) => {
  const q = call.query.get("q");
  if (q === null || q.trim() === "") throw invalid({ resource: "Search", field: "q", code: "missing" });
  if (q.length > 256)
    throw new Refusal(422, "Validation Failed", {
      errors: [
        { resource: "Search", field: "q", code: "invalid", message: "The search is longer than 256 characters." },
      ],
    });
  const terms = [...q.matchAll(/(-?)(?:([a-z]+):)?(?:"([^"]*)"|(\S+))/gi)].map((term) => ({
    not: term[1] === "-",
    qualifier: term[2]?.toLowerCase() ?? null,
    value: (term[3] ?? term[4] ?? "").toLowerCase(),
  }));
  const wanted = terms.filter(({ qualifier, not }) => qualifier === "repo" && !not).map(({ value }) => value);
  const visible = [...call.world.repositories].filter(
    ([full, repository]) =>
      (wanted.length === 0 || wanted.includes(full)) && call.world.permissionsIn(call.principal, repository) !== null,
  );
  if (wanted.length > 0 && visible.length === 0) {
    throw new Refusal(422, "Validation Failed", {
      errors: [
        {
          message:
            "The listed users and repositories cannot be searched either because the resources do not exist or you do not have permission to view them.",
          resource: "Search",
          field: "q",
          code: "invalid",
        },
      ],
    });
  }
  const fits = (issue: Issue, term: (typeof terms)[number]): boolean => {
    const { qualifier, value } = term;
    if (qualifier === "repo") return true;
    if (qualifier === "is" || qualifier === "type" || qualifier === "state") {
      if (value === "pr" || value === "pull-request") return issue.pull !== null;
      if (value === "issue") return issue.pull === null;
      return issue.state === value;
    }
    if (qualifier === "label") return issue.labels.some((label) => label.toLowerCase() === value);
    if (qualifier === "in") return true;
    return `${issue.title}\n${issue.body ?? ""}`.toLowerCase().includes(value);
  };
  const found = visible.flatMap(([, repository]) =>
    repository.issues
      .filter((issue) => terms.every((term) => fits(issue, term) !== term.not || term.qualifier === "repo"))
      .map((issue) => ({ ...issueShape(call.base, repository, issue), score: 1 })),
  );
  const at = Number(call.query.get("page") ?? 1) * Number(call.query.get("per_page") ?? 30);
  if (at > MAX_RESULTS) throw new Refusal(422, "Only the first 1000 search results are available");
  const { items, headers } = page(call, found.slice(0, MAX_RESULTS), "/search/issues");
  return { status: 200, headers, body: { total_count: found.length, incomplete_results: false, items } };
};

export const ISSUE_ROUTES: readonly [string, RegExp, Handler][] = [
  ["GET", /^\/repos\/([^/]+)\/([^/]+)\/issues$/, listIssues],
  ["POST", /^\/repos\/([^/]+)\/([^/]+)\/issues$/, createIssue],
  ["GET", /^\/repos\/([^/]+)\/([^/]+)\/issues\/(\d+)$/, getIssue],
  ["PATCH", /^\/repos\/([^/]+)\/([^/]+)\/issues\/(\d+)$/, updateIssue],
  ["POST", /^\/repos\/([^/]+)\/([^/]+)\/issues\/(\d+)\/labels$/, addLabels],
  ["DELETE", /^\/repos\/([^/]+)\/([^/]+)\/issues\/(\d+)\/labels\/([^/]+)$/, removeLabel],
  ["GET", /^\/repos\/([^/]+)\/([^/]+)\/issues\/(\d+)\/comments$/, listComments],
  ["POST", /^\/repos\/([^/]+)\/([^/]+)\/issues\/(\d+)\/comments$/, createComment],
  ["GET", /^\/repos\/([^/]+)\/([^/]+)\/issues\/comments\/(\d+)$/, getComment],
  ["PATCH", /^\/repos\/([^/]+)\/([^/]+)\/issues\/comments\/(\d+)$/, updateComment],
  ["DELETE", /^\/repos\/([^/]+)\/([^/]+)\/issues\/comments\/(\d+)$/, deleteComment],
  [
    "POST",
    /^\/repos\/([^/]+)\/([^/]+)\/issues\/(\d+)\/assignees$/,
    assignees((has, named) => [...new Set([...has, ...named])]),
  ],
  [
    "DELETE",
    /^\/repos\/([^/]+)\/([^/]+)\/issues\/(\d+)\/assignees$/,
    assignees((has, named) => has.filter((login) => !named.includes(login))),
  ],
  ["GET", /^\/user$/, getUser],
  ["GET", /^\/search\/issues$/, searchIssues],
];
