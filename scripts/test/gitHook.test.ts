import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { installGitHook } from "../gitHook.ts";
import { ROOT } from "../repository.ts";

describe("the pre-commit hook", () => {
  let root: string;
  const file = (name: string): string => path.join(root, name);
  const git = (...args: string[]) => {
    const identity = ["-c", "user.name=someone", "-c", "user.email=someone@example.com"];
    return spawnSync("git", [...identity, ...args], { cwd: root, encoding: "utf8" });
  };

  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), "git-hook-"));
    for (const name of ["package.json", ".oxlintrc.json", ".oxfmtrc.json", ".gitignore"])
      copyFileSync(path.join(ROOT, name), file(name));
    symlinkSync(path.join(ROOT, "node_modules"), file("node_modules"));
    writeFileSync(file(".gitignore"), "node_modules\n");
    git("init", "--quiet");
    git("add", ".");
    git("commit", "--quiet", "--no-verify", "--message", "first");
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  test("is installed once, and never over someone else's", () => {
    expect(installGitHook(root)).toBe("installed");
    expect(installGitHook(root)).toBe("present");
    writeFileSync(file(".git/hooks/pre-commit"), "#!/bin/sh\nexit 0\n");
    chmodSync(file(".git/hooks/pre-commit"), 0o755);
    expect(installGitHook(root)).toBe("foreign");
    expect(readFileSync(file(".git/hooks/pre-commit"), "utf8")).toBe("#!/bin/sh\nexit 0\n");
  });

  test("formats what is staged and leaves what is not as it was", () => {
    installGitHook(root);
    writeFileSync(file("tea.ts"), "export const tea   =  1\n");
    git("add", "tea.ts");
    writeFileSync(file("tea.ts"), "export const tea   =  1\nexport const unstaged   =  2\n");
    const { status, stderr } = git("commit", "--message", "tea");
    expect({ status, stderr: status === 0 ? "" : stderr }).toEqual({ status: 0, stderr: "" });
    expect(git("show", "HEAD:tea.ts").stdout).toBe("export const tea = 1;\n");
    expect(readFileSync(file("tea.ts"), "utf8")).toContain("export const unstaged   =  2\n");
  });

  test("refuses a commit that the linter refuses, and says why", () => {
    installGitHook(root);
    writeFileSync(file("tea.ts"), "export const tea: any = 1;\n");
    git("add", "tea.ts");
    const { status, stdout, stderr } = git("commit", "--message", "tea");
    expect(status).not.toBe(0);
    expect(stdout + stderr).toContain("no-explicit-any");
    expect(git("rev-list", "--count", "HEAD").stdout.trim()).toBe("1");
  });

  test("is not put into the hooks that a linked working tree shares with others", () => {
    git("worktree", "add", "--quiet", "linked");
    expect(installGitHook(file("linked"))).toBe("linked");
    expect(existsSync(file(".git/hooks/pre-commit"))).toBe(false);
  });

  test("has no place outside a repository", () => {
    rmSync(file(".git"), { recursive: true });
    expect(installGitHook(root)).toBe("no repository");
  });
});
