import { need, oneOf, page, param, repositoryOf, type Call, type Handler } from "./call.ts";
import { commitOf, git, tryGit } from "./git.ts";
import { issueOf } from "./issueRoutes.ts";
import { apiPathOf, authorOf, commitShapes, issueShape, pullShape, repositoryShape } from "./shapes.ts";
import { invalid, notFound, Refusal, type Repository } from "./world.ts";

const getRepository: Handler = (call) => {
  const { repository } = repositoryOf(call);
  return { status: 200, body: repositoryShape(call.base, repository) };
};

const refNamesOf = async (repository: Repository): Promise<string[]> => {
  const out = await git(repository.path, ["for-each-ref", "--format=%(refname:strip=2)", "refs/heads"]);
  return out.split("\n").filter((name) => name !== "");
};

const listBranches: Handler = async (call) => {
  const { repository, may } = repositoryOf(call);
  need(may, "contents", "read");
  const names = await refNamesOf(repository);
  const { items, headers } = page(call, names, apiPathOf(repository, "/branches"));
  const body = await Promise.all(
    items.map(async (name) => ({
      name,
      commit: { sha: await commitOf(repository.path, `refs/heads/${name}`), url: `${call.base}/x` },
      protected: false,
    })),
  );
  return { status: 200, headers, body };
};

const getBranch: Handler = async (call) => {
  const { repository, may } = repositoryOf(call);
  need(may, "contents", "read");
  const name = param(call, 2);
  const sha = await commitOf(repository.path, `refs/heads/${name}`);
  if (sha === null) throw new Refusal(404, "Branch not found");
  const [commit] = await commitShapes(call.base, repository, sha, ["--max-count=1"]);
  return { status: 200, body: { name, commit, protected: false } };
};

const refShape = (call: Call, repository: Repository, ref: string, sha: string) => ({
  ref,
  node_id: "R_1",
  url: `${call.base}/repos/${repository.owner}/${repository.name}/git/${ref}`,
  object: { type: "commit", sha, url: `${call.base}/repos/${repository.owner}/${repository.name}/git/commits/${sha}` },
});

async function requireHistory(repository: Repository): Promise<void> {
  if ((await refNamesOf(repository)).length === 0) throw new Refusal(409, "Git Repository is empty.");
}

const getRef: Handler = async (call) => {
  const { repository, may } = repositoryOf(call);
  need(may, "contents", "read");
  await requireHistory(repository);
  const sha = await commitOf(repository.path, `refs/${param(call, 2)}`);
  if (sha === null) throw notFound();
  return { status: 200, body: refShape(call, repository, `refs/${param(call, 2)}`, sha) };
};

const SHA = /^[0-9a-f]{40}$/;

const createRef: Handler = async (call) => {
  const { repository, may } = repositoryOf(call);
  need(may, "contents", "write");
  await requireHistory(repository);
  const { ref, sha } = call.body;
  if (typeof ref !== "string" || !/^refs\/(?:heads|tags)\/./.test(ref)) {
    throw new Refusal(422, "Reference name must start with 'refs/' and have at least two slashes.");
  }
  if ((await tryGit(repository.path, ["check-ref-format", ref])).code !== 0) {
    throw new Refusal(422, `${ref} is not a valid ref name.`);
  }
  if (typeof sha !== "string" || !SHA.test(sha))
    throw new Refusal(422, "The sha parameter must be exactly 40 characters and contain only [0-9a-f].");
  if ((await commitOf(repository.path, sha)) === null) throw new Refusal(422, "Object does not exist");
  // Git's own compare-and-set: of two at once, one makes it.
  const made = await tryGit(repository.path, ["update-ref", ref, sha, "0".repeat(40)]);
  if (made.code !== 0) throw new Refusal(422, "Reference already exists");
  return { status: 201, body: refShape(call, repository, ref, sha) };
};

const updateRef: Handler = async (call) => {
  const { repository, may } = repositoryOf(call);
  need(may, "contents", "write");
  const ref = `refs/${param(call, 2)}`;
  const { sha, force } = call.body;
  const before = await commitOf(repository.path, ref);
  if (before === null) throw new Refusal(422, "Reference does not exist");
  if (typeof sha !== "string" || (await commitOf(repository.path, sha)) === null)
    throw new Refusal(422, "Object does not exist");
  const ancestor = await tryGit(repository.path, ["merge-base", "--is-ancestor", before, sha]);
  if (ancestor.code !== 0 && force !== true) throw new Refusal(422, "Update is not a fast forward");
  await git(repository.path, ["update-ref", ref, sha, before]);
  return { status: 200, body: refShape(call, repository, ref, sha) };
};

const listCommits: Handler = async (call) => {
  const { repository, may } = repositoryOf(call);
  need(may, "contents", "read");
  await requireHistory(repository);
  const from = call.query.get("sha") ?? repository.defaultBranch;
  const sha = await commitOf(repository.path, from);
  if (sha === null) throw notFound();
  const [since, until, path] = [call.query.get("since"), call.query.get("until"), call.query.get("path")];
  const commits = await commitShapes(call.base, repository, sha, [
    ...(since === null ? [] : [`--since=${since}`]),
    ...(until === null ? [] : [`--until=${until}`]),
  ]);
  if (path !== null) throw new Refusal(422, "This server does not narrow commits to a path.");
  const { items, headers } = page(call, commits, apiPathOf(repository, "/commits"));
  return { status: 200, headers, body: items };
};

const getCommit: Handler = async (call) => {
  const { repository, may } = repositoryOf(call);
  need(may, "contents", "read");
  await requireHistory(repository);
  const sha = await commitOf(repository.path, param(call, 2));
  if (sha === null) throw new Refusal(422, `No commit found for SHA: ${param(call, 2)}`);
  const [commit] = await commitShapes(call.base, repository, sha, ["--max-count=1"]);
  return { status: 200, body: { ...commit, stats: { total: 0, additions: 0, deletions: 0 }, files: [] } };
};

const listPulls: Handler = async (call) => {
  const { repository, may } = repositoryOf(call);
  need(may, "pull_requests", "read");
  const state = oneOf(call.query.get("state"), ["open", "closed", "all"], "open");
  const head = call.query.get("head");
  const base = call.query.get("base");
  const found = repository.issues
    .filter((issue) => issue.pull !== null && (state === "all" || issue.state === state))
    // A head without its owner is no filter.
    .filter((issue) => head === null || !head.includes(":") || head === `${repository.owner}:${issue.pull?.head}`)
    .filter((issue) => base === null || issue.pull?.base === base)
    .toReversed();
  const { items, headers } = page(call, found, apiPathOf(repository, "/pulls"));
  const body = await Promise.all(items.map((issue) => pullShape(call.base, repository, issue, false)));
  return { status: 200, headers, body };
};

const createPull: Handler = async (call) => {
  const { repository, may } = repositoryOf(call);
  need(may, "pull_requests", "write");
  const { title, head, base, body, draft } = call.body;
  for (const [name, value] of Object.entries({ head, base })) {
    if (typeof value !== "string" || value === "")
      throw new Refusal(422, `Invalid request.\n\n"${name}" wasn't supplied.`);
  }
  if (typeof title !== "string" || title === "")
    throw invalid({ resource: "PullRequest", field: "title", code: "missing_field" });
  if (title.length > 256)
    throw invalid({
      resource: "PullRequest",
      field: "title",
      code: "custom",
      message: "title is too long (maximum is 256 characters)",
    });
  if (typeof body === "string" && body.length > 65_536)
    throw invalid({
      resource: "PullRequest",
      field: "body",
      code: "custom",
      message: "body is too long (maximum is 65536 characters)",
    });
  const from = String(head).replace(new RegExp(`^${repository.owner}:`), "");
  const to = String(base);
  const [fromSha, toSha] = [
    await commitOf(repository.path, `refs/heads/${from}`),
    await commitOf(repository.path, `refs/heads/${to}`),
  ];
  if (fromSha === null) throw invalid({ resource: "PullRequest", field: "head", code: "invalid" });
  if (toSha === null) throw invalid({ resource: "PullRequest", field: "base", code: "invalid" });
  const twice = repository.issues.find(
    ({ state, pull }) => state === "open" && pull?.head === from && pull.base === to,
  );
  if (twice) {
    const message = `A pull request already exists for ${repository.owner}:${from}.`;
    throw invalid({ resource: "PullRequest", code: "custom", message });
  }
  const ahead = await git(repository.path, ["rev-list", "--count", `${toSha}..${fromSha}`]);
  if (ahead === "0") {
    throw invalid({ resource: "PullRequest", code: "custom", message: `No commits between ${to} and ${from}` });
  }
  const issue = call.world.addIssue(repository, authorOf(call.world, call.principal?.login), {
    title,
    body: typeof body === "string" ? body : null,
    pull: { head: from, base: to, draft: draft === true, merged_at: null },
  });
  const shape = await pullShape(call.base, repository, issue, true);
  return { status: 201, body: shape, headers: { location: shape.url } };
};

const getPull: Handler = async (call) => {
  const { repository, may } = repositoryOf(call);
  need(may, "pull_requests", "read");
  const issue = issueOf(call, repository);
  if (issue.pull === null) throw notFound();
  if (/vnd\.github\.(?:v3\.)?diff/.test(call.accept)) {
    const { head, base } = issue.pull;
    const diff = await tryGit(repository.path, [
      "diff",
      "--no-color",
      "--no-ext-diff",
      "--full-index",
      `refs/heads/${base}...refs/heads/${head}`,
    ]);
    if (diff.code !== 0) throw notFound();
    const files = (diff.stdout.match(/^diff --git /gm) ?? []).length;
    if (files > 300) {
      throw new Refusal(406, "Sorry, the diff exceeded the maximum number of files (300).", {
        errors: [{ resource: "PullRequest", field: "diff", code: "too_large" }],
      });
    }
    return { status: 200, text: diff.stdout, type: "application/vnd.github.diff; charset=utf-8" };
  }
  return { status: 200, body: await pullShape(call.base, repository, issue, true) };
};

const updatePull: Handler = async (call) => {
  const { repository, may } = repositoryOf(call);
  need(may, "pull_requests", "write");
  const issue = issueOf(call, repository);
  if (issue.pull === null) throw notFound();
  const { state } = call.body;
  if (state !== undefined && state !== "open" && state !== "closed")
    throw invalid({ resource: "PullRequest", field: "state", code: "invalid" });
  if (state !== undefined) {
    issue.state = state;
    issue.closed_at = state === "closed" ? call.world.timestamp() : null;
  }
  issue.updated_at = issueShape(call.base, repository, issue).updated_at;
  return { status: 200, body: await pullShape(call.base, repository, issue, true) };
};

export const CODE_ROUTES: readonly [string, RegExp, Handler][] = [
  ["GET", /^\/repos\/([^/]+)\/([^/]+)$/, getRepository],
  ["GET", /^\/repos\/([^/]+)\/([^/]+)\/branches$/, listBranches],
  ["GET", /^\/repos\/([^/]+)\/([^/]+)\/branches\/(.+)$/, getBranch],
  ["GET", /^\/repos\/([^/]+)\/([^/]+)\/git\/ref\/(.+)$/, getRef],
  ["POST", /^\/repos\/([^/]+)\/([^/]+)\/git\/refs$/, createRef],
  ["PATCH", /^\/repos\/([^/]+)\/([^/]+)\/git\/refs\/(.+)$/, updateRef],
  ["GET", /^\/repos\/([^/]+)\/([^/]+)\/commits$/, listCommits],
  ["GET", /^\/repos\/([^/]+)\/([^/]+)\/commits\/(.+)$/, getCommit],
  ["GET", /^\/repos\/([^/]+)\/([^/]+)\/pulls$/, listPulls],
  ["POST", /^\/repos\/([^/]+)\/([^/]+)\/pulls$/, createPull],
  ["GET", /^\/repos\/([^/]+)\/([^/]+)\/pulls\/(\d+)$/, getPull],
  ["PATCH", /^\/repos\/([^/]+)\/([^/]+)\/pulls\/(\d+)$/, updatePull],
];
