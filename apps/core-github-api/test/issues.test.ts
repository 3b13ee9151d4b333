import { expect, test } from "vitest";
import { z } from "zod";
import { aProxy, problemOf, steer } from "./proxy.ts";

test("an issue is made, read, commented, taken up, closed and found again", async () => {
  const { call, at } = await aProxy();
  const made = await call(at("/issues"), { title: "It breaks", body: "Here.", labels: ["bug"] });
  expect(made).toMatchObject({ status: 201, body: { number: 1, state: "open", labels: ["bug"], pull_request: false } });
  expect(made.body).toHaveProperty("html_url");
  expect(await call(at("/issues/1/comments"), { body: "Mine." })).toMatchObject({
    status: 201,
    body: { body: "Mine." },
  });
  expect((await call(at("/issues/1/comments"))).body).toMatchObject([{ body: "Mine." }]);
  const taken = await call(at("/issues/1"), { state: "in_progress" }, "PATCH");
  expect(taken.body).toMatchObject({ state: "open", labels: ["bug", "in progress"] });
  expect((await call(at("/issues/1"))).body).toMatchObject({ labels: ["bug", "in progress"], comments: 1 });
  const closed = await call(at("/issues/1"), { state: "closed" }, "PATCH");
  expect(closed.body).toMatchObject({ state: "closed", labels: ["bug"] });
  expect((await call(at("/issues"))).body).toEqual([]);
  expect((await call(at("/issues?state=all"))).body).toMatchObject([{ number: 1 }]);
  expect((await call(at("/search/issues?q=breaks"))).body).toMatchObject([{ number: 1 }]);
});

test("a repository is named in full, by its name alone under the owner that is set, or not at all", async () => {
  const { call, at, repository, bindings } = await aProxy();
  const [owner = "", name = ""] = repository.split("/");
  Object.assign(bindings, { GITHUB_OWNER: owner, GITHUB_REPO: name });
  await call("/v1/repo/issues", { title: "By default" });
  await call(`/v1/repo/${name}/issues`, { title: "By name" });
  const all = await call(at("/issues"));
  expect(all.body).toMatchObject([{ title: "By name" }, { title: "By default" }]);
  expect((await call("/v1/repo/issues")).body).toEqual(all.body);
});

test("every page can be had, each with a link to the next by an address of the proxy", async () => {
  const { call, at, repository } = await aProxy();
  await steer({ action: "addIssues", repository, count: 230 });
  const numbers: number[] = [];
  for (let path: string | undefined = at("/issues?per_page=100"); path !== undefined;) {
    const page = await call(path);
    numbers.push(
      ...z
        .array(z.object({ number: z.number() }))
        .parse(page.body)
        .map(({ number }) => number),
    );
    path = /^<([^>]+)>; rel="next"$/.exec(page.headers.get("link") ?? "")?.[1];
  }
  expect(new Set(numbers).size).toBe(230);
  expect(problemOf(await call(at("/issues?per_page=101"))).code).toBe("VALIDATION_FAILED");
});

test("what GitHub would refuse for its form is refused here, and what only GitHub knows is told in its words", async () => {
  const { call, at, repository } = await aProxy();
  for (const body of [
    {},
    { title: "" },
    { title: "x".repeat(257) },
    { title: "a", body: "x".repeat(65_537) },
    { title: "a", labels: [1] },
    [],
  ]) {
    expect(problemOf(await call(at("/issues"), body)).code).toBe("VALIDATION_FAILED");
  }
  expect(problemOf(await call(at("/issues/7"))).code).toBe("NOT_FOUND");
  await steer({
    action: "fault",
    path: `${repository}/issues`,
    fault: { kind: "status", status: 410, message: "Issues has been disabled" },
  });
  expect(problemOf(await call(at("/issues")))).toMatchObject({
    code: "UPSTREAM_REFUSED",
    detail: expect.stringContaining("Issues has been disabled"),
  });
  await steer({
    action: "fault",
    path: `${repository}/issues`,
    fault: { kind: "status", status: 410, message: "This issue was deleted" },
  });
  expect(problemOf(await call(at("/issues/7"))).code).toBe("NOT_FOUND");
});

test("a search stays in its repository, whatever its words", async () => {
  const { call, at, token, bindings } = await aProxy();
  const other = await aProxy();
  await steer({ action: "addIssues", repository: other.repository, count: 3 });
  for (const q of [
    `repo:${other.repository} Issue`,
    `x" repo:${other.repository}`,
    "Issue OR a",
    "org:x Issue",
    "user:y",
    "(Issue)",
  ]) {
    expect(problemOf(await call(at(`/search/issues?q=${encodeURIComponent(q)}`))).code).toBe("VALIDATION_FAILED");
  }
  const { token: wide = "" } = await steer({ action: "addToken", repositories: "all" });
  expect(wide).not.toBe(token);
  Object.assign(bindings, { GITHUB_TOKEN: wide });
  expect((await call(at("/search/issues?q=Issue"))).body).toEqual([]);
});
