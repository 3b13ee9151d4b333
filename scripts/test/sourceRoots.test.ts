import { execFileSync } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sourceRootsOf } from "../start/sourceRoots.ts";

let place: string;
let repository: string;
const git = (...args: string[]): string => execFileSync("git", args, { encoding: "utf8", stdio: "pipe" });
beforeEach(() => {
  place = realpathSync(mkdtempSync(path.join(tmpdir(), "source roots-")));
  repository = path.join(place, "repository");
  git("init", "-q", repository);
  const author = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
  git("-C", repository, ...author, "commit", "-q", "--allow-empty", "-m", "first");
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

describe("what the host may read to copy a repository", () => {
  test("is the folder and its git directory", () => {
    expect(sourceRootsOf(repository)).toEqual([repository, path.join(repository, ".git")]);
  });

  test("holds the repository a linked worktree belongs to", () => {
    const worktree = path.join(place, "worktree");
    git("-C", repository, "worktree", "add", "-q", worktree);
    expect(sourceRootsOf(worktree)).toEqual([worktree, path.join(repository, ".git")]);
  });

  test("holds the objects a shared clone borrows", () => {
    const clone = path.join(place, "clone");
    git("clone", "-q", "--shared", repository, clone);
    expect(sourceRootsOf(clone)).toContain(path.join(repository, ".git/objects"));
  });

  test("is the folder alone where there is no repository, whatever lies above it", () => {
    expect(sourceRootsOf(place)).toEqual([place]);
  });
});
