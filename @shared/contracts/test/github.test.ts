import { describe, expect, test } from "vitest";
import { BranchNameSchema, EnginePushRequestSchema, githubRepositoryOf, orderBranchOf } from "../index.ts";

describe("a repository's name", () => {
  test.each([
    "acme/site",
    "github.com/acme/site",
    "https://github.com/acme/site",
    "https://github.com/acme/site.git",
    "https://www.github.com/acme/site",
  ])("%s is acme/site", (text) => {
    expect(githubRepositoryOf(text)).toEqual({ owner: "acme", name: "site" });
  });

  test.each([
    "",
    "acme",
    "acme/",
    "/site",
    "acme/site/x",
    "acme/..",
    "../site",
    "acme/.git",
    "-acme/site",
    "acme/si te",
    "acme/site\n",
    "acme/site?x",
    "http://github.com/acme/site",
    "https://github.com.example.com/acme/site",
    "https://gitlab.com/acme/site",
    "git@github.com:acme/site.git",
    "https://x:y@github.com/acme/site",
  ])("%j is none", (text) => {
    expect(githubRepositoryOf(text)).toBeNull();
  });
});

test("a branch is named as git allows it, and an order's id that makes no such name has no branch", () => {
  for (const name of ["main", "factory/ORD-1", "a/b/c", "v1.2", "ünï", "a@b"]) {
    expect(BranchNameSchema.safeParse(name).success, name).toBe(true);
  }
  for (const name of [
    "",
    "@",
    "a..b",
    "/a",
    "a/",
    "a//b",
    ".a",
    "a/.b",
    "a.lock",
    "a.lock/b",
    "a.",
    "-a",
    "a b",
    "a~b",
    "a^",
    "a:b",
    "a?",
    "a*",
    "a[",
    "a\\b",
    "a@{b",
    "a\u007fb",
    "\ud800",
  ]) {
    expect(BranchNameSchema.safeParse(name).success, JSON.stringify(name)).toBe(false);
  }
  expect(orderBranchOf("ORD-1")).toBe("factory/ORD-1");
  expect(orderBranchOf("ORD..1")).toBeNull();
  expect(orderBranchOf("ORD.lock")).toBeNull();
});

test("a push is of an order's branch, is never forced, and no complaint repeats its token", () => {
  const request = {
    remote: "https://github.com/acme/site.git",
    branch: "factory/ORD-1",
    message: "Work",
    author: { name: "V", email: "v@example.com" },
    orderId: "ORD-1",
    custody: { seq: 0, hash: "0".repeat(64) },
    expectedHead: { seq: 0, hash: "0".repeat(64) },
    token: "ghp_secretsecret",
  };
  expect(EnginePushRequestSchema.safeParse(request).success).toBe(true);
  for (const more of [{ branch: "main" }, { force: true }, { token: "ghp_secretsecret\n" }]) {
    const parsed = EnginePushRequestSchema.safeParse({ ...request, ...more });
    expect(parsed.success).toBe(false);
    expect(String(parsed.error)).not.toContain("ghp_secret");
  }
});
