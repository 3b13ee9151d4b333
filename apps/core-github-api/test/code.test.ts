import { expect, test } from "vitest";
import { aProxy, problemOf, steer } from "./proxy.ts";

test("branches and commits are read, a branch is made once", async () => {
  const { call, at, sha, repository } = await aProxy();
  expect((await call(at("/branches/main"))).body).toEqual({ name: "main", sha });
  const made = await call(at("/branches"), { name: "factory/ORD-1", sha });
  expect(made).toMatchObject({ status: 201, body: { name: "factory/ORD-1", sha } });
  expect(problemOf(await call(at("/branches"), { name: "factory/ORD-1", sha })).code).toBe("CONFLICT");
  expect((await call(at("/branches/factory/ORD-1"))).body).toEqual({ name: "factory/ORD-1", sha });
  expect((await call(at("/branches"))).body).toMatchObject([{ name: "factory/ORD-1" }, { name: "main" }]);
  expect(problemOf(await call(at("/branches/none"))).code).toBe("NOT_FOUND");
  await steer({ action: "commit", repository, branch: "main", files: { b: "2\n" }, message: "Second" });
  expect((await call(at("/commits"))).body).toMatchObject([
    { message: "Second", parents: [sha] },
    { message: "Begin" },
  ]);
  expect((await call(at(`/commits/${sha}`))).body).toMatchObject({ sha, message: "Begin" });
});

test("a pull request is opened once, listed by its branch, and shows its diff", async () => {
  const { call, at, repository } = await aProxy();
  const body = { title: "A change", head: "topic", base: "main" };
  expect(problemOf(await call(at("/pulls"), body)).code).toBe("UPSTREAM_REFUSED");
  await steer({ action: "commit", repository, branch: "topic", from: "main", files: { "README.md": "# Bye\n" } });
  expect(await call(at("/pulls"), body)).toMatchObject({
    status: 201,
    body: { number: 1, head: { ref: "topic" }, draft: false },
  });
  expect(problemOf(await call(at("/pulls"), body)).code).toBe("CONFLICT");
  expect((await call(at("/pulls?head=topic"))).body).toMatchObject([{ number: 1 }]);
  expect((await call(at("/pulls?head=other"))).body).toEqual([]);
  expect((await call(at("/pulls/1"))).body).toMatchObject({ number: 1, base: { ref: "main" } });
  const diff = await call(at("/pulls/1/diff"));
  expect(diff.text).toContain("-# Hello\n+# Bye\n");
  expect(diff.headers.get("content-type")).toMatch(/^text\/x-diff/);
});

test("an empty repository is a conflict that says so", async () => {
  const { call, at } = await aProxy({ files: null });
  expect(problemOf(await call(at("/commits")))).toMatchObject({
    code: "CONFLICT",
    detail: expect.stringContaining("empty"),
  });
});
