import { readdir, readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { aBatch, anAppend, startGithubServer, type EngineHostOptions, type GithubServer } from "@shared/testing";
import { EnginePushAnswerSchema, type EnginePushAnswer, GENESIS_HEAD, type WorkspaceSource } from "@shared/contracts";
import { expect, onTestFinished, test } from "vitest";
import {
  applyBatch,
  openWorkspace,
  problemIn,
  startHost,
  workspaceOf,
  workspacePath,
  type TestHost,
} from "./support/host.ts";
import { commitAll, git } from "./support/repository.ts";
import { temporaryDirectory, writeTree } from "./support/tree.ts";

const REPOSITORY = "acme/site";
const BRANCH = "factory/ORD-1";

interface Stage {
  /** What `push` sends. */
  request: () => Promise<object>;
  host: TestHost;
  server: GithubServer;
  token: string;
  /** The commit on `main` that the workspace `default` was opened from. */
  pin: string;
  push: (more?: Record<string, unknown>) => ReturnType<TestHost["request"]>;
  pushed: (more?: Record<string, unknown>) => Promise<EnginePushAnswer>;
  edit: (text: string) => Promise<void>;
  /** Git's words about the remote repository. */
  remote: (...args: string[]) => Promise<string>;
}

/** A GitHub with a repository that has what no workspace holds: a link, ignored and engine files; and a workspace of it. */
async function aStage(
  options: { env?: EngineHostOptions["env"]; source?: (root: string) => WorkspaceSource } = {},
): Promise<Stage> {
  const server = await startGithubServer();
  onTestFinished(() => server.stop());
  await server.run({ action: "addRepository", repository: REPOSITORY, files: null });
  const { token = "" } = await server.run({ action: "addToken", repositories: [REPOSITORY] });
  const root = await temporaryDirectory();
  const clone = join(root, "clone");
  await writeTree(
    clone,
    {
      "src/index.ts": "export const one = 1;\n",
      "bin/run": "#!/bin/sh\n",
      "old.txt": "old\n",
      ".gitignore": "dist/\n",
      ".gitattributes": "*.bat text eol=crlf\n",
      "start.bat": "@echo off\r\n",
      ".mission_control/notes.md": "kept\n",
    },
    ["bin/run"],
  );
  await symlink("src/index.ts", join(clone, "link"));
  const pin = await commitAll(clone);
  await git(
    clone,
    "push",
    "--quiet",
    `${server.url.replace("http://", `http://x:${token}@`)}/${REPOSITORY}.git`,
    "main",
  );
  const dataDir = await temporaryDirectory();
  const host = await startHost({
    sourceRoots: [root],
    dataDir,
    env: { ENGINE_PUSH_REMOTES: server.url, ...options.env },
  });
  await openWorkspace(host, "default", options.source?.(root) ?? { kind: "git", repository: clone });
  const request = async (more: Record<string, unknown> = {}) => ({
    remote: `${server.url}/${REPOSITORY}.git`,
    branch: BRANCH,
    message: "Order ORD-1: a button",
    author: { name: "VibeHQ", email: "vibehq@example.com" },
    orderId: "ORD-1",
    custody: { seq: 7, hash: "c".repeat(64) },
    token,
    expectedHead: (await workspaceOf(host, "default")).head,
    ...more,
  });
  const push = async (more?: Record<string, unknown>) =>
    host.request("POST", workspacePath("default", "/push"), await request(more));
  let edits = 0;
  return {
    request,
    host,
    server,
    token,
    pin,
    push,
    pushed: async (more) => {
      const { status, body } = await push(more);
      if (status !== 200) throw new Error(JSON.stringify(body));
      return EnginePushAnswerSchema.parse(body);
    },
    edit: async (text) => {
      edits += 1;
      await applyBatch(
        host,
        "default",
        aBatch({ batchId: `batch-${edits}`, patches: [anAppend({ file: "src/index.ts", block: text })] }),
      );
    },
    remote: async (...args) => (await server.run({ action: "git", repository: REPOSITORY, args })).text ?? "",
  };
}

test("the tree becomes one commit on the one the workspace was opened from, with trailers, and nothing else changes", async () => {
  const { pushed, edit, remote, pin, host, server } = await aStage();
  await server.run({ action: "commit", repository: REPOSITORY, branch: "main", files: { "later.txt": "by others\n" } });
  await edit("export const two = 2;\n");
  await edit("export const three = 3;\n");
  const answer = await pushed();
  const { head, treeHash } = await workspaceOf(host, "default");
  expect(answer).toEqual({
    branch: BRANCH,
    commit: await remote("rev-parse", BRANCH),
    parent: pin,
    pushed: true,
    head,
    treeHash,
  });
  expect(await remote("diff", "--stat", "--summary", pin, BRANCH)).toMatch(
    /^ ?src\/index\.ts \| 2 \+\+\n 1 file changed, 2 insertions\(\+\)$/,
  );
  expect(await remote("log", "-1", "--format=%an <%ae> %cn %s%n%(trailers)", BRANCH)).toBe(
    [
      "VibeHQ <vibehq@example.com> VibeHQ Order ORD-1: a button",
      "VibeHQ-Order: ORD-1",
      "VibeHQ-Workspace: default",
      `VibeHQ-Log: ${head.seq}:${head.hash}`,
      `VibeHQ-Custody: 7:${"c".repeat(64)}`,
      `VibeHQ-Tree: ${treeHash}`,
      "VibeHQ-Batch: batch-1",
      "VibeHQ-Batch: batch-2",
    ].join("\n"),
  );
});

test("asked again it is the same commit; after another edit it is one more, naming what came since", async () => {
  const { pushed, edit, remote } = await aStage();
  await edit("// first\n");
  const first = await pushed();
  expect(await pushed({ custody: { seq: 9, hash: "d".repeat(64) } })).toEqual({ ...first, pushed: false });
  await edit("// second\n");
  const second = await pushed();
  expect(second).toMatchObject({ parent: first.commit, pushed: true });
  expect(await remote("log", "-1", "--format=%(trailers:key=VibeHQ-Batch,valueonly)", BRANCH)).toBe("batch-2");
  expect(await remote("rev-list", "--count", `main..${BRANCH}`)).toBe("2");
});

test("two at once make one commit", async () => {
  const { pushed, edit, remote } = await aStage();
  await edit("// once\n");
  const [one, other] = await Promise.all([pushed(), pushed()]);
  expect(one.commit).toBe(other.commit);
  expect(await remote("rev-list", "--count", `main..${BRANCH}`)).toBe("1");
});

test("an answer that is lost is looked for, and was the push", async () => {
  const { pushed, edit, remote, server } = await aStage();
  await edit("// lost\n");
  await server.run({ action: "fault", method: "POST", path: "git-receive-pack", fault: { kind: "lose" } });
  expect(await pushed()).toMatchObject({ pushed: true, commit: await remote("rev-parse", BRANCH) });
});

test("a branch with commits of others is refused, whatever they hold, and stays as it is", async () => {
  const { push, pushed, edit, remote, server } = await aStage();
  await edit("// mine\n");
  await pushed();
  const { sha } = await server.run({
    action: "commit",
    repository: REPOSITORY,
    branch: BRANCH,
    files: { "theirs.txt": "theirs\n" },
  });
  await edit("// mine too\n");
  expect(problemIn(await push()).code).toBe("CONFLICT");
  expect(await remote("rev-parse", BRANCH)).toBe(sha);
  await server.run({
    action: "commit",
    repository: REPOSITORY,
    branch: "factory/ORD-2",
    from: "main",
    files: { a: "a\n" },
  });
  expect(problemIn(await push({ branch: "factory/ORD-2" })).code).toBe("CONFLICT");
});

test("a branch that was made beforehand, where the workspace began, is built upon", async () => {
  const { pushed, edit, remote, pin } = await aStage();
  await remote("branch", BRANCH, "main");
  await edit("// on it\n");
  expect(await pushed()).toMatchObject({ parent: pin, pushed: true });
});

// Before git looks at the branch itself, and after.
test.each(["service=git-receive-pack", ".git/git-receive-pack"])(
  "a branch that moves between being read and being written (%s) is not overwritten",
  async (path) => {
    const { push, edit, remote, server } = await aStage();
    await edit("// mine\n");
    const { id = "" } = await server.run({ action: "fault", path, fault: { kind: "hold" } });
    const pushing = push();
    await server.run({ action: "arrived", id });
    const { sha } = await server.run({
      action: "commit",
      repository: REPOSITORY,
      branch: BRANCH,
      from: "main",
      files: { b: "b\n" },
    });
    await server.run({ action: "release", id });
    expect(problemIn(await pushing).code).toBe("CONFLICT");
    expect(await remote("rev-parse", BRANCH)).toBe(sha);
  },
);

test("a workspace that has moved on is not pushed under its former head", async () => {
  const { push, edit, remote } = await aStage();
  await edit("// more\n");
  expect(problemIn(await push({ expectedHead: GENESIS_HEAD })).code).toBe("HEAD_MISMATCH");
  expect(await remote("branch", "--list", BRANCH)).toBe("");
});

test("a workspace that comes from no commit of the remote stands on the base; in an empty repository it is the first", async () => {
  const source = (root: string): WorkspaceSource => ({ kind: "path", path: join(root, "clone", "src") });
  const { push, pushed, remote, server, pin } = await aStage({ source });
  expect(await pushed({ base: "main" })).toMatchObject({ parent: pin });
  // A link and the engine's own directory, which the workspace could not hold, are as they were.
  expect((await remote("ls-tree", "-r", "--name-only", BRANCH)).split("\n")).toEqual([
    ".mission_control/notes.md",
    "index.ts",
    "link",
  ]);
  expect(problemIn(await push({ base: "nowhere", branch: "factory/ORD-3" })).code).toBe("NOT_FOUND");
  await server.run({ action: "addRepository", repository: "acme/new", files: null });
  const { token = "" } = await server.run({ action: "addToken", repositories: ["acme/new"] });
  expect(await pushed({ remote: `${server.url}/acme/new.git`, token, base: "main" })).toMatchObject({
    parent: null,
    pushed: true,
  });
});

test("while it pushes and afterwards, the token is in no argument, file, line of the log or answer", async () => {
  const { push, edit, server, token, host } = await aStage();
  await edit("// secret business\n");
  const { id = "" } = await server.run({
    action: "fault",
    method: "POST",
    path: "git-receive-pack",
    fault: { kind: "hold" },
  });
  const pushing = push();
  await server.run({ action: "arrived", id });
  const secrets = [
    token,
    Buffer.from(`x-access-token:${token}`).toString("base64"),
    Buffer.from(token).toString("base64").replace(/=+$/, ""),
  ];
  const told = [...(await argumentsOfAll()), ...(await filesBelow(host.dataDir))];
  expect(told.some((text) => text.includes("git-receive-pack") || text.includes("remote-http"))).toBe(true);
  for (const secret of secrets) expect(told.filter((text) => text.includes(secret))).toEqual([]);
  await server.run({ action: "release", id });
  const answers = [
    await pushing,
    await push({ remote: `${server.url}/acme/none.git` }),
    await push({ token: "ghp_wrongwrongwrong" }),
  ];
  const after = [
    ...answers.map(({ body }) => JSON.stringify(body)),
    host.stderr(),
    ...(await filesBelow(host.dataDir)),
  ];
  for (const secret of [...secrets, "ghp_wrongwrongwrong"])
    expect(after.filter((text) => text.includes(secret))).toEqual([]);
  expect(answers.map(({ status }) => status)).toEqual([200, 404, 502]);
  expect(await readdir(join(host.dataDir, "staging"))).toEqual([]);
});

test("a host that is killed while it pushes leaves nothing behind, and the next one pushes", async () => {
  const { push, request, edit, server, host, remote } = await aStage();
  await edit("// killed\n");
  const { id = "" } = await server.run({
    action: "fault",
    method: "POST",
    path: "git-receive-pack",
    fault: { kind: "hold" },
  });
  const pushing = push().catch(() => null);
  await server.run({ action: "arrived", id });
  const again = await request();
  await host.kill();
  expect(await pushing).toBeNull();
  await server.run({ action: "release", id });
  const next = await startHost({
    sourceRoots: [host.root],
    dataDir: host.dataDir,
    env: { ENGINE_PUSH_REMOTES: server.url },
  });
  expect(await readdir(join(next.dataDir, "staging"))).toEqual([]);
  const { body } = await next.request("POST", workspacePath("default", "/push"), again);
  expect(body).toMatchObject({ ok: true, commit: await remote("rev-parse", BRANCH) });
  expect(await remote("rev-list", "--count", `main..${BRANCH}`)).toBe("1");
});

test("what the remote refuses is told in its words; a remote that is down is in doubt only once it was sent to", async () => {
  const { push, edit, server } = await aStage();
  await edit("// x\n");
  const { token: reader = "" } = await server.run({
    action: "addToken",
    repositories: [REPOSITORY],
    permissions: { contents: "read" },
  });
  expect(problemIn(await push({ token: reader })).code).toBe("UPSTREAM_REFUSED");
  const limit = (bytes: string) =>
    server.run({ action: "git", repository: REPOSITORY, args: ["config", "receive.maxInputSize", bytes] });
  await limit("1");
  expect(problemIn(await push())).toMatchObject({
    code: "UPSTREAM_REFUSED",
    detail: expect.stringContaining("unpacker error"),
  });
  await limit("0");
  await server.run({ action: "fault", path: "info/refs", fault: { kind: "status", status: 503 } });
  expect(problemIn(await push())).toMatchObject({ code: "UPSTREAM_UNAVAILABLE", error: { nothingWritten: true } });
  await server.run({ action: "fault", method: "POST", path: "git-receive-pack", times: 50, fault: { kind: "reset" } });
  expect(problemIn(await push())).toMatchObject({ code: "UPSTREAM_UNAVAILABLE", error: { nothingWritten: null } });
});

test("no remote but those on the list, no branch but an order's, no header of the caller's making", async () => {
  const { push, server, host, remote } = await aStage();
  const other = await startGithubServer();
  onTestFinished(() => other.stop());
  const before = host.stderr().length;
  const remotes = [
    `${other.url}/${REPOSITORY}.git`,
    "https://github.com/acme/site.git",
    `${server.url.replace("http://", "http://x:y@")}/${REPOSITORY}.git`,
    `${server.url}/acme/../x/site.git`,
    `${server.url}/acme/%2e%2e/site.git`,
    `${server.url}/${REPOSITORY}.git?service=x`,
    "file:///etc",
    "ext::sh -c id",
    "ssh://git@github.com/a/b",
    "--upload-pack=id",
    `${server.url}.example.com/a/b.git`,
  ];
  for (const address of remotes) {
    expect(["SOURCE_INVALID", "VALIDATION_FAILED"], address).toContain(problemIn(await push({ remote: address })).code);
  }
  for (const branch of [
    "main",
    "factory/",
    "factory/../main",
    "factory/a b",
    "factory/a\nb",
    "refs/heads/factory/x",
    "+factory/x",
    "factory/x:main",
    "-factory/x",
    "factory/x.lock",
    "factory/@{1}",
  ]) {
    expect(problemIn(await push({ branch })).code, branch).toBe("VALIDATION_FAILED");
  }
  for (const more of [
    { author: { name: "A <b", email: "c@d" } },
    { author: { name: "A\nparent x", email: "c@d" } },
    { author: { name: "A", email: "c>d" } },
    { token: "a\r\nHost: b" },
    { token: "" },
    { message: "\0" },
    { message: " " },
    { force: true },
    { base: "--all" },
  ]) {
    expect(problemIn(await push(more)).code, JSON.stringify(more)).toBe("VALIDATION_FAILED");
  }
  expect(other.seen).toEqual([]);
  expect(await remote("for-each-ref", "--format=%(refname)")).toBe("refs/heads/main");
  expect(host.stderr().length).toBeGreaterThan(before);
});

/** The command line of every process of this machine. */
async function argumentsOfAll(): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  return Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")));
}

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) => readFile(join(entry.parentPath, entry.name), "latin1").catch(() => "")),
  );
}
