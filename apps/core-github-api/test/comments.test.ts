import { GithubCommentSchema } from "@shared/contracts";
import { expect, test } from "vitest";
import { z } from "zod";
import { aProxy, problemOf, steer } from "./proxy.ts";

type Proxy = Awaited<ReturnType<typeof aProxy>>;

/** A comment that somebody else writes, with a token of their own. */
async function anothersComment({ repository, bindings }: Proxy, number: number): Promise<number> {
  const { token = "" } = await steer({ action: "addToken", repositories: [repository], login: "mallory" });
  const response = await fetch(`${bindings.GITHUB_API_URL}/repos/${repository}/issues/${number}/comments`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "user-agent": "theirs" },
    body: JSON.stringify({ body: "Theirs." }),
  });
  return z.object({ id: z.number() }).parse(await response.json()).id;
}

test.each([{ app: false }, { app: true }])(
  "a comment of ours is told from others' and changed in place %o",
  async (by) => {
    const proxy = await aProxy(by);
    const { call, at } = proxy;
    await call(at("/issues"), { title: "It breaks" });
    const theirs = await anothersComment(proxy, 1);
    const { id } = GithubCommentSchema.parse((await call(at("/issues/1/comments"), { body: "Ours." })).body);
    const changed = await call(at(`/comments/${id}`), { body: "Ours, anew." }, "PATCH");
    expect(changed).toMatchObject({ status: 200, body: { id, body: "Ours, anew.", mine: true } });
    expect((await call(at("/issues/1/comments"))).body).toMatchObject([
      { id: theirs, user: "mallory", mine: false },
      { id, body: "Ours, anew.", mine: true },
    ]);
    expect(problemOf(await call(at(`/comments/${theirs}`), { body: "Forged." }, "PATCH")).code).toBe("FORBIDDEN");
    expect((await call(at("/issues/1/comments"))).body).toMatchObject([{ body: "Theirs." }, {}]);
  },
);

test("a comment that is gone, or has no number, is not found; an empty or overlong text is refused", async () => {
  const { call, at } = await aProxy();
  for (const id of ["999999", "0", "x", "1%2F..%2F2"]) {
    expect(problemOf(await call(at(`/comments/${id}`), { body: "x" }, "PATCH")).code).toBe("NOT_FOUND");
  }
  for (const body of [{}, { body: " " }, { body: "x".repeat(65_537) }]) {
    expect(problemOf(await call(at("/comments/1"), body, "PATCH")).code).toBe("VALIDATION_FAILED");
  }
});

test("whether a repository is on the list is said without asking GitHub", async () => {
  const { call, at, seen, repository } = await aProxy();
  expect((await call(at("/reachable"))).body).toEqual({ repository });
  expect(problemOf(await call(`/v1/repo/${encodeURIComponent("else/where")}/reachable`)).code).toBe("FORBIDDEN");
  expect(await seen()).toEqual([]);
});
