import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import * as fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { PatchBatchSchema, type FileMode } from "@shared/contracts";
import { planBatch, type FileSnapshot, type PlanResult } from "../../core/index.ts";
import { content, snapshot } from "./arbitraries.ts";
import { DIFF_TOOLS } from "./diffTools.ts";

type Tree = Record<string, { text: string; mode: FileMode }>;

const roots: string[] = [];
afterAll(() => {
  for (const root of roots) rmSync(root, { recursive: true, force: true });
});

function run(program: string, args: string[], cwd: string, statuses = [0]): string {
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd,
    maxBuffer: 1 << 28,
    env: { PATH: process.env.PATH, HOME: cwd, GIT_CONFIG_NOSYSTEM: "1", TZ: "UTC" },
  });
  if (status === null || !statuses.includes(status)) throw new Error(`${program}: ${stderr.toString()}`);
  return stdout.toString();
}

function write(root: string, tree: Tree): void {
  for (const [path, { text, mode }] of Object.entries(tree)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    chmodSync(join(root, path), mode === "100755" ? 0o755 : 0o644);
  }
}

const fresh = (): string => {
  const root = mkdtempSync(join(tmpdir(), "apply-diff-"));
  roots.push(root);
  return root;
};

/** The diff that git makes between two trees. */
function gitDiff(before: Tree, after: Tree, options: string[]): string {
  const root = fresh();
  run("git", ["init", "-q"], root);
  run("git", ["config", "core.autocrlf", "false"], root);
  write(root, before);
  run("git", ["add", "-A"], root);
  run("git", ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "--allow-empty", "-m", "before"], root);
  for (const path of Object.keys(before)) rmSync(join(root, path));
  write(root, after);
  run("git", ["add", "-A"], root);
  return run("git", ["diff", "--cached", "--no-color", ...options], root);
}

/** The diff that GNU diff makes between two trees, plain, with timestamps. */
function gnuDiff(before: Tree, after: Tree, options: string[]): string {
  const root = fresh();
  mkdirSync(join(root, "old"));
  mkdirSync(join(root, "new"));
  write(join(root, "old"), before);
  write(join(root, "new"), after);
  return run("diff", ["-ruN", "-a", ...options, "old", "new"], root, [0, 1]);
}

/** Compares file by file, so that a failure shows one. */
function expectTree(left: Tree, wanted: Tree): void {
  for (const path of new Set([...Object.keys(left), ...Object.keys(wanted)])) {
    expect({ path, ...left[path] }).toEqual({ path, ...wanted[path] });
  }
}

function plan(before: Tree, diff: string, coordinates: "original" | "sequential"): PlanResult {
  const files = new Map<string, FileSnapshot | null>(
    Object.entries(before).map(([path, { text, mode }]) => [path, { ...snapshot(text), mode }]),
  );
  const batch = PatchBatchSchema.parse({ coordinates, patches: [{ op: "apply-diff", diff }] });
  return planBatch(batch, files, { mintPatchId: (index) => `p${index + 1}` });
}

/** The tree that a plan leaves. */
function left(before: Tree, result: PlanResult): Tree {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.message}\n${JSON.stringify(result.error)}`);
  const tree = { ...before };
  for (const file of result.plan.files) {
    if (file.kind === "delete") delete tree[file.path];
    if (file.from !== null) delete tree[file.from];
  }
  for (const file of result.plan.files) {
    if (file.after) tree[file.path] = { text: Buffer.from(file.after).toString(), mode: file.mode };
  }
  return tree;
}

function applied(
  before: Tree,
  diff: string,
  coordinates: "original" | "sequential",
): { tree: Tree; result: PlanResult } {
  const result = plan(before, diff, coordinates);
  return { tree: left(before, result), result };
}

const names = fc.constantFrom("", "sp ace", "ü", 'q"uote', "b", "deep/er", "-dash", "tail ", "emoji😀", "a b/a b");
const mode = fc.constantFrom<FileMode>("100644", "100644", "100644", "100755");

/** A file with edits of its lines, so that hunks are small against it. */
const edited = fc
  .record({ before: content, spare: content, keep: fc.array(fc.nat(9), { minLength: 40, maxLength: 40 }) })
  .map(({ before, spare, keep }) => {
    const lines = before.split(/(?<=\n)/);
    const others = spare.split(/(?<=\n)/);
    const after = lines
      .flatMap((line, i) => {
        const pick = keep[i] ?? 9;
        if (pick === 0) return [];
        if (pick === 1) return [others[i % others.length] ?? "", line];
        return pick === 2 ? [others[i % others.length] ?? ""] : [line];
      })
      .join("");
    return { before, after };
  });

const change = fc.record({
  kind: fc.constantFrom("edit", "edit", "edit", "edit", "create", "delete", "rename", "copy", "mode"),
  text: edited,
  name: names,
  mode,
  other: mode,
});

type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

function trees(changes: readonly Change[]): [Tree, Tree] {
  const before: Tree = {};
  const after: Tree = {};
  // Long enough, and each its own, that git sees a renamed file as the same one.
  const padded = (i: number, text: string) =>
    Array.from({ length: 40 }, (_, n) => `file ${i} line ${n}\n`).join("") + text;
  for (const [i, { kind, text, name, mode: own, other }] of changes.entries()) {
    const path = `d${i}/${name.trimEnd()}f${i}.txt`;
    const to = `e${i}/${name.trimEnd()}g${i}.txt`;
    if (kind !== "create") before[path] = { text: text.before, mode: own };
    if (kind === "create") after[path] = { text: text.after, mode: own };
    if (kind === "edit") after[path] = { text: text.after, mode: own };
    if (kind === "mode") after[path] = { text: text.after, mode: other };
    if (kind === "rename" || kind === "copy") {
      before[path] = { text: padded(i, text.before), mode: own };
      after[to] = { text: padded(i, text.after), mode: other };
      if (kind === "copy") after[path] = { text: padded(i, text.before), mode: own };
    }
  }
  return [before, after];
}

describe("apply-diff makes what the diff was made from", () => {
  test.each([
    ["as git shows it", ["-M"]],
    ["with copies", ["-M", "-C", "--find-copies-harder"]],
    ["without prefixes", ["--no-prefix", "-M"]],
    ["with other prefixes", ["--src-prefix=i/", "--dst-prefix=w/", "-M"]],
    ["with one line of context", ["-U1", "-M"]],
    ["with all of the file as context", ["-U9999"]],
  ])(
    "%s, in both kinds of coordinates",
    (_name, options) => {
      const changes = fc.sample(change, 400);
      const [before, after] = trees(changes);
      const diff = gitDiff(before, after, options);
      expectTree(applied(before, diff, "original").tree, after);
      expectTree(applied(before, diff, "sequential").tree, after);
    },
    60_000,
  );

  test("with no context, in files whose lines all end alike", () => {
    const changes = fc.sample(change, 400).filter(({ text }) => !`${text.before}${text.after}`.match(/\r\n|\uFEFF/));
    const [before, after] = trees(changes);
    expectTree(applied(before, gitDiff(before, after, ["-U0"]), "original").tree, after);
  }, 60_000);

  test("as GNU diff shows it, with timestamps", () => {
    const changes = fc
      .sample(change, 300)
      .filter(({ kind, text }) => kind === "edit" && text.before !== "" && text.after !== "");
    const [before, after] = trees(changes);
    expectTree(applied(before, gnuDiff(before, after, []), "original").tree, after);
    expectTree(applied(before, gnuDiff(before, after, ["-U1"]), "original").tree, after);
  }, 60_000);

  test("and its own diffs are read again", () => {
    const changes = fc.sample(change, 300);
    const [before, after] = trees(changes);
    const { result } = applied(before, gitDiff(before, after, ["-M"]), "original");
    if (!result.ok) throw new Error("refused");
    const again = result.plan.files.map(({ diff }) => diff).join("");
    expectTree(applied(before, again, "original").tree, after);
  }, 60_000);
});

test("where lines have moved and are found, git apply and GNU patch find them in the same place", () => {
  const moved = fc.record({
    lines: fc.array(
      fc.oneof(
        fc.nat(400).map((n) => `u${n}`),
        fc.constantFrom("a", "b", "}"),
      ),
      { minLength: 8, maxLength: 60 },
    ),
    keep: fc.array(fc.nat(12), { minLength: 60, maxLength: 60 }),
    above: fc.integer({ min: 0, max: 9 }),
    middle: fc.nat(59),
  });
  const before: Record<string, string> = {};
  const wanted: Record<string, string> = {};
  const files: Tree = {};
  const edited: Tree = {};
  for (const [i, { lines, keep, above, middle }] of fc.sample(moved, 1_000).entries()) {
    const path = `f${i}.txt`;
    const after = lines.flatMap((line, n) => (keep[n] === 0 ? [] : keep[n] === 1 ? [`new${n}`, line] : [line]));
    files[path] = { text: lines.map((line) => `${line}\n`).join(""), mode: "100644" };
    edited[path] = { text: after.map((line) => `${line}\n`).join(""), mode: "100644" };
    const shifted = [...Array.from({ length: above }, (_, n) => `above${n}`), ...lines];
    if (middle % 3 === 0) shifted.splice(middle % shifted.length, 0, "between");
    before[path] = shifted.map((line) => `${line}\n`).join("");
  }
  let diff = "";
  let refused = 0;
  let found = 0;
  for (const part of gitDiff(files, edited, []).split(/^(?=diff --git )/m)) {
    const path = /^diff --git a\/(\S+)/.exec(part)?.[1] ?? "";
    const tree: Tree = { [path]: { text: before[path]!, mode: "100644" } };
    const result = plan(tree, part, "original");
    if (!result.ok) {
      expect(result.error.code).toMatch(/^(?:STALE_CONTENT|AMBIGUOUS_LOCATION)$/);
      refused++;
      continue;
    }
    if (result.plan.patches.some(({ moved: by }) => by !== 0)) found++;
    wanted[path] = left(tree, result)[path]!.text;
    diff += part;
  }
  expect(refused).toBeGreaterThan(50);
  expect(found).toBeGreaterThan(200);
  const taken = Object.fromEntries(Object.keys(wanted).map((path) => [path, before[path]!]));
  // Both also hold a hunk that began or ended a file to its beginning or end; here its lines alone say where it is.
  const inside = diff.split(/^(?=diff --git )/m).filter((part) => isInside(part));
  const paths = inside.map((part) => /^diff --git a\/(\S+)/.exec(part)?.[1] ?? "");
  const pick = (all: Record<string, string>) => Object.fromEntries(paths.map((path) => [path, all[path]!]));
  for (const [name, applyDiff] of DIFF_TOOLS) {
    const made = Object.entries(applyDiff(pick(taken), inside.join("")));
    expect(Object.fromEntries(made.map(([path, bytes]) => [path, bytes.toString()])), name).toEqual(pick(wanted));
  }
  expect(paths.length).toBeGreaterThan(50);
}, 60_000);

/** Whether no hunk begins a file, and each has three lines of context on both sides. */
const isInside = (part: string): boolean =>
  !/^@@ -1[ ,]/m.test(part) &&
  part
    .split(/^@@.*@@.*\n/m)
    .slice(1)
    .every((body) => /^(?: .*\n){3}[^ ]/.test(body) && /(?:^[+-].*\n)(?: .*\n){3}$/m.test(body));
