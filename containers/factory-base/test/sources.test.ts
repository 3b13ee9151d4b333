import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { WorkspaceSource } from "@shared/contracts";
import { describe, expect, test } from "vitest";
import { materialize, type SourceContext } from "../sources/index.ts";
import { sameSource } from "../sources/sameSource.ts";
import { SOURCE_LIMITS } from "../sources/source.ts";
import { commitAll, git } from "./support/repository.ts";
import { packed, tar, tarball, type TarEntry } from "./support/tarball.ts";
import { fingerprint, readTree, temporaryDirectory, writeTree } from "./support/tree.ts";

const FILES = { "src/a.ts": "export const a = 1;\n", "bin/run": "#!/bin/sh\n", "crlf.txt": "one\r\ntwo" };

interface Bench {
  root: string;
  open: (source: WorkspaceSource, overrides?: Partial<SourceContext>) => ReturnType<typeof materialize>;
  into: string;
}

/** A source root and an empty workspace directory beside it. */
async function bench(): Promise<Bench> {
  const directory = await temporaryDirectory();
  const [root, into, scratch, dataDir] = ["root", "into", "scratch", "data"].map((name) => join(directory, name));
  for (const path of [root, into, scratch, dataDir]) await mkdir(path!);
  return {
    root: root!,
    into: into!,
    open: (source, overrides) =>
      materialize(source, into!, {
        templates: new Map(),
        sourceRoots: [root!],
        dataDir: dataDir!,
        scratch: scratch!,
        pin: undefined,
        limits: SOURCE_LIMITS,
        ...overrides,
      }),
  };
}

const base64Archive = (bytes: Buffer, sha256?: string): WorkspaceSource => ({
  kind: "archive",
  base64: bytes.toString("base64"),
  ...(sha256 === undefined ? {} : { sha256 }),
});

describe("a path source", () => {
  test("is copied without its history, its packages, links and special files, and is never written to", async () => {
    const { root, into, open } = await bench();
    await writeTree(join(root, "app"), {
      ...FILES,
      ".git/HEAD": "ref",
      "node_modules/x/i.js": "",
      "a/.git": "gitdir: x",
    });
    await symlink("/etc/passwd", join(root, "app/link"));
    execFileSync("mkfifo", [join(root, "app/pipe")]);
    const before = await fingerprint(root);
    const made = await open({ kind: "path", path: join(root, "app") });
    expect(made).toMatchObject({ ok: true, pin: null });
    expect(made.ok && made.skipped.toSorted((a, b) => (a.path < b.path ? -1 : 1))).toEqual([
      { path: "link", reason: "symlink" },
      { path: "pipe", reason: "special file" },
    ]);
    expect(await readTree(into)).toEqual(FILES);
    expect(await fingerprint(root)).toBe(before);
  });

  test("brings the workspace's policy, and none of an engine's state", async () => {
    const { root, into, open } = await bench();
    const policy = '{"check":["true"]}';
    await writeTree(join(root, "app"), {
      ".mission_control/policy.json": policy,
      ".mission_control/log.jsonl": "{}",
      ".mission_control/source.json": "{}",
      ".mission_control/patches/p.diff": "",
    });
    expect(await open({ kind: "path", path: join(root, "app") })).toMatchObject({ ok: true });
    expect(await readTree(into)).toEqual({ ".mission_control/policy.json": policy });
  });

  test("does not copy the host's own data into itself", async () => {
    const { root, into, open } = await bench();
    await writeTree(root, { "a.ts": "a", ".vibehq/workspaces/w/b.ts": "b" });
    await open({ kind: "path", path: root }, { dataDir: join(root, ".vibehq") });
    expect(await readTree(into)).toEqual({ "a.ts": "a" });
  });

  test.for([
    ["a path outside the roots", () => "/etc"],
    ["a path that climbs out", (root: string) => `${root}/../into`],
    ["a relative path", () => "."],
    ["a sibling with the root's name as prefix", (root: string) => `${root}-secret`],
    ["a link that leads out", (root: string) => `${root}/out`],
    ["a file", (root: string) => `${root}/file`],
    ["nothing", (root: string) => `${root}/absent`],
    ["a NUL", (root: string) => `${root}/a\0b`],
  ] as const)("refuses %s", async ([, path]) => {
    const { root, into, open } = await bench();
    await mkdir(`${root}-secret`);
    await symlink("/etc", join(root, "out"));
    await writeFile(join(root, "file"), "");
    expect(await open({ kind: "path", path: path(root) })).toMatchObject({
      ok: false,
      error: { code: "SOURCE_INVALID" },
    });
    expect(await readdir(into)).toEqual([]);
  });

  test("refuses more files or bytes than a workspace may have", async () => {
    const { root, open } = await bench();
    await writeTree(root, FILES);
    for (const limit of [{ entries: 2 }, { unpackedBytes: 10 }]) {
      const made = await open({ kind: "path", path: root }, { limits: { ...SOURCE_LIMITS, ...limit } });
      expect(made).toMatchObject({ ok: false, error: { code: "SOURCE_INVALID" } });
    }
  });
});

describe("a template", () => {
  test("is opened by name, with its policy; an unknown one is refused", async () => {
    const { root, into, open } = await bench();
    const files = { "src/a.ts": "a", ".mission_control/policy.json": "{}" };
    await writeTree(join(root, "worker"), files);
    const templates = new Map([
      ["worker", join(root, "worker")],
      ["gone", join(root, "gone")],
    ]);
    for (const template of ["absent", "gone"]) {
      const made = await open({ kind: "template", template }, { templates });
      expect(made).toMatchObject({ ok: false, error: { code: "SOURCE_INVALID" } });
    }
    expect(await open({ kind: "template", template: "worker" }, { templates })).toMatchObject({ ok: true });
    expect(await readTree(into)).toEqual(files);
  });
});

describe("a git source", () => {
  test("is one commit without history, links skipped, and the repository, .git included, is never written to", async () => {
    const { root, into, open } = await bench();
    const repository = join(root, "repo");
    await writeTree(repository, FILES, ["bin/run"]);
    await symlink("/etc/passwd", join(repository, "link"));
    const commit = await commitAll(repository);
    await writeTree(repository, { "src/a.ts": "not committed\n", "untracked.ts": "" });
    const before = await fingerprint(repository);
    expect(await open({ kind: "git", repository })).toMatchObject({
      ok: true,
      pin: commit,
      skipped: [{ path: "link", reason: "symlink" }],
    });
    expect(await readTree(into)).toEqual(FILES);
    expect(await fingerprint(repository)).toBe(before);
  });

  test("takes a branch, a tag or a commit, and a pin wherever the branch points by now", async () => {
    const { root, into, open } = await bench();
    await writeTree(root, { "a.txt": "first" });
    const first = await commitAll(root);
    await git(root, "tag", "--annotate", "--message", "v1", "v1");
    await git(root, "branch", "feature/one");
    await writeTree(root, { "a.txt": "second" });
    await git(root, "commit", "--quiet", "--all", "--message", "Second");
    const second = await git(root, "rev-parse", "HEAD");
    const source = { kind: "git", repository: root } as const;
    expect(await open(source)).toMatchObject({ pin: second });
    expect(await open({ ...source, ref: "main" })).toMatchObject({ pin: second });
    expect(await open({ ...source, ref: "v1" })).toMatchObject({ pin: first });
    expect(await open({ ...source, ref: "feature/one" })).toMatchObject({ pin: first });
    expect(await open({ ...source, ref: second })).toMatchObject({ pin: second });
    expect(await open({ ...source, ref: "main" }, { pin: first })).toMatchObject({ pin: first });
    expect(await readTree(into)).toEqual({ "a.txt": "first" });
    expect(await open(source, { pin: "0".repeat(40) })).toMatchObject({ error: { code: "SOURCE_INVALID" } });
  });

  test("runs no hook, filter or submodule of the repository", async () => {
    const { root, into, open } = await bench();
    const repository = join(root, "repo");
    const proof = join(root, "proof");
    await writeTree(repository, { "a.txt": "a", ".gitattributes": "* filter=evil\n" });
    await writeTree(join(root, "sub"), { "s.txt": "s" });
    await commitAll(join(root, "sub"));
    await commitAll(repository);
    await git(repository, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", join(root, "sub"), "sub");
    await git(repository, "commit", "--quiet", "--message", "Submodule");
    await git(repository, "config", "filter.evil.smudge", `touch ${proof}`);
    await git(repository, "config", "uploadpack.packObjectsHook", `touch ${proof};`);
    for (const hook of ["post-checkout", "reference-transaction", "post-index-change"]) {
      await mkdir(join(repository, ".git/hooks"), { recursive: true });
      await writeFile(join(repository, ".git/hooks", hook), `#!/bin/sh\ntouch ${proof}\n`);
      await chmod(join(repository, ".git/hooks", hook), 0o755);
    }
    expect(await open({ kind: "git", repository })).toMatchObject({ ok: true });
    expect(Object.keys(await readTree(into)).toSorted()).toEqual([".gitattributes", ".gitmodules", "a.txt"]);
    expect(await readdir(root)).not.toContain("proof");
  });

  test("opens a linked worktree when its repository stands below a root too, and not else", async () => {
    const { root, open } = await bench();
    const main = join(root, "main");
    await writeTree(main, FILES);
    const commit = await commitAll(main);
    await git(main, "worktree", "add", "--quiet", join(root, "tree"), "-b", "other");
    const source = { kind: "git", repository: join(root, "tree") } as const;
    expect(await open(source)).toMatchObject({ ok: true, pin: commit });
    expect(await open(source, { sourceRoots: [join(root, "tree")] })).toMatchObject({
      error: { code: "SOURCE_INVALID" },
    });
  });

  test.for([
    ["http", { repository: "http://127.0.0.1/x.git" }],
    ["file URLs", { repository: "file:///etc" }],
    ["ssh", { repository: "git@example.com:a/b.git" }],
    ["a transport helper", { repository: "ext::sh -c 'touch proof'" }],
    ["an option", { repository: "--upload-pack=touch proof" }],
    ["credentials", { repository: "https://me:secret@example.com/a.git" }],
    ["a path outside the roots", { repository: "/etc" }],
    ["a ref that is an option", { ref: "--upload-pack=touch proof" }],
    ["a refspec", { ref: "main:other" }],
    ["a forced refspec", { ref: "+main" }],
    ["a revision expression", { ref: "main~1" }],
    ["a range", { ref: "a..b" }],
    ["an unknown ref", { ref: "absent" }],
  ])("refuses %s", async ([, fields]) => {
    const { root, into, open } = await bench();
    await writeTree(root, FILES);
    await commitAll(root);
    const made = await open({ kind: "git", repository: root, ...(fields as { repository?: string; ref?: string }) });
    expect(made).toMatchObject({ ok: false, error: { code: "SOURCE_INVALID" } });
    expect(JSON.stringify(made)).not.toContain(root);
    expect(JSON.stringify(made)).not.toContain("secret");
    expect(await readdir(into)).toEqual([]);
    expect(await readdir(root)).not.toContain("proof");
  });
});

describe("an archive", () => {
  test("is unpacked without its leading directory, from a path or from bytes, its hash checked", async () => {
    const { root, into, open } = await bench();
    const bytes = packed(FILES, ["bin/run"]);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    await writeFile(join(root, "a.tgz"), bytes);
    expect(await open(base64Archive(bytes, sha256))).toMatchObject({ recorded: { base64: "", sha256 } });
    expect(await readTree(into)).toEqual(FILES);
    expect(await open(base64Archive(bytes, "0".repeat(64)))).toMatchObject({ error: { code: "SOURCE_INVALID" } });
    const other = await bench();
    const path = join(root, "a.tgz");
    expect(await other.open({ kind: "archive", path, sha256 }, { sourceRoots: [root] })).toMatchObject({ ok: true });
    expect(await readTree(other.into)).toEqual(FILES);
    expect(await other.open({ kind: "archive", path })).toMatchObject({ error: { code: "SOURCE_INVALID" } });
  });

  test("brings neither a policy nor other engine state nor a repository's configuration", async () => {
    const { into, open } = await bench();
    const made = await open(
      base64Archive(
        packed({ "a.ts": "", ".mission_control/policy.json": "{}", ".git/config": "", "x/.git/config": "" }),
      ),
    );
    expect(made).toMatchObject({ ok: true });
    expect(await readTree(into)).toEqual({ "a.ts": "" });
  });

  const file: TarEntry = { path: "package/ok.ts", content: "ok" };
  const hostile: [string, Buffer][] = [
    ["a path that climbs out", tarball([{ path: "package/../../evil", content: "x" }])],
    ["an absolute path", tarball([{ path: "/etc/evil", content: "x" }])],
    ["an inner dot", tarball([{ path: "package/./evil", content: "x" }])],
    ["a symlink", tarball([{ path: "package/link", type: "SymbolicLink", linkpath: "/etc" }])],
    [
      "a file through a symlink",
      tarball([{ path: "package/l", type: "SymbolicLink", linkpath: ".." }, { path: "package/l/x" }]),
    ],
    ["a hard link", tarball([file, { path: "package/link", type: "Link", linkpath: "/etc/passwd" }])],
    ["a device", tarball([{ path: "package/dev", type: "CharacterDevice" }])],
    ["a pipe", tarball([{ path: "package/pipe", type: "FIFO" }])],
    ["one path twice", tarball([file, file])],
    ["a file as a directory", tarball([file, { path: "package/ok.ts/x", content: "x" }])],
    ["no leading directory", tarball([{ path: "a.ts", content: "x" }])],
    ["nothing", tarball([])],
    ["too many entries", tarball(Array.from({ length: 6 }, (_, i) => ({ path: `package/${i}` })))],
    ["a header that promises too much", tarball([{ ...file, size: 10_000_000 }])],
    ["too many bytes", tarball([{ path: "package/big", content: Buffer.alloc(200_000) }])],
    ["too many bytes after the end", gzipSync(Buffer.concat([tar([file]), Buffer.alloc(200_000)]))],
    ["an archive in an archive's place", gzipSync(gzipSync(Buffer.concat([tar([file]), Buffer.alloc(50_000)])))],
    ["cut short", tarball([{ ...file, content: "x".repeat(5000) }]).subarray(0, 60)],
    ["no gzip", tar([file])],
    ["no tar", gzipSync("hello")],
  ];
  test.for(hostile)("refuses %s", async ([, bytes]) => {
    const { root, open } = await bench();
    const limits = { ...SOURCE_LIMITS, entries: 5, unpackedBytes: 100_000 };
    const before = await fingerprint(root);
    expect(await open(base64Archive(bytes), { limits })).toMatchObject({
      ok: false,
      error: { code: "SOURCE_INVALID" },
    });
    expect(await fingerprint(root)).toBe(before);
  });
});

test("a source is the same by its words, and an archive by its content", () => {
  const bytes = packed(FILES);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const recorded: WorkspaceSource = { kind: "archive", base64: "", sha256 };
  expect(sameSource(recorded, base64Archive(bytes))).toBe(true);
  expect(sameSource(recorded, base64Archive(packed({ a: "b" })))).toBe(false);
  expect(sameSource(recorded, { kind: "archive", path: "/x.tgz" })).toBe(false);
  expect(sameSource({ kind: "archive", path: "/x.tgz", sha256 }, { kind: "archive", path: "/x.tgz" })).toBe(true);
  expect(sameSource({ kind: "git", repository: "/r" }, { kind: "git", repository: "/r", ref: "main" })).toBe(false);
  expect(sameSource({ kind: "path", path: "/r" }, { kind: "git", repository: "/r" })).toBe(false);
});
