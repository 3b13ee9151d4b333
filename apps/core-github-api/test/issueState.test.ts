import { expect, test } from "vitest";
import { aProxy, problemOf, steer } from "./proxy.ts";

/** The login of the token of a proxy. */
async function loginOf({ bindings, token }: Awaited<ReturnType<typeof aProxy>>): Promise<string> {
  const response = await fetch(`${bindings.GITHUB_API_URL}/user`, {
    headers: { authorization: `Bearer ${token}`, "user-agent": "x" },
  });
  const { login } = await response.json<{ login: string }>();
  return login;
}

test("in progress is a label and an assignee; every other state takes both away, and nothing else", async () => {
  const proxy = await aProxy();
  const { call, at, repository, bindings } = proxy;
  const ours = await loginOf(proxy);
  await steer({ action: "addToken", repositories: [repository], login: "colleague" });
  await call(at("/issues"), { title: "It breaks", labels: ["bug"] });
  await fetch(`${bindings.GITHUB_API_URL}/repos/${repository}/issues/1/assignees`, {
    method: "POST",
    headers: { authorization: `Bearer ${proxy.token}`, "user-agent": "x" },
    body: JSON.stringify({ assignees: ["colleague"] }),
  });
  const taken = { state: "open", labels: ["bug", "in progress"], assignees: ["colleague", ours] };
  const free = { labels: ["bug"], assignees: ["colleague"] };
  for (const [state, expected] of [
    ["in_progress", taken],
    ["in_progress", taken],
    ["open", { state: "open", ...free }],
    ["in_progress", taken],
    ["closed", { state: "closed", ...free }],
    ["in_progress", taken],
  ] as const) {
    expect((await call(at("/issues/1"), { state }, "PATCH")).body, state).toMatchObject(expected);
    expect((await call(at("/issues/1"))).body, state).toMatchObject(expected);
  }
  expect(problemOf(await call(at("/issues/1"), { state: "reopened" }, "PATCH")).code).toBe("VALIDATION_FAILED");
});

test("GITHUB_ASSIGNEE names who is assigned; of an App nobody is, and the label stands all the same", async () => {
  const named = await aProxy({ env: { GITHUB_ASSIGNEE: "night-shift" } });
  await steer({ action: "addToken", repositories: [named.repository], login: "night-shift" });
  await named.call(named.at("/issues"), { title: "x" });
  expect((await named.call(named.at("/issues/1"), { state: "in_progress" }, "PATCH")).body).toMatchObject({
    assignees: ["night-shift"],
  });
  const app = await aProxy({ app: true });
  await app.call(app.at("/issues"), { title: "x" });
  expect((await app.call(app.at("/issues/1"), { state: "in_progress" }, "PATCH")).body).toMatchObject({
    labels: ["in progress"],
    assignees: [],
  });
  Object.assign(app.bindings, { GITHUB_ASSIGNEE: "a b" });
  expect(problemOf(await app.call(app.at("/issues/1"))).detail).toContain("GITHUB_ASSIGNEE");
});

test("a state that was cut off halfway is made whole by setting it again", async () => {
  const proxy = await aProxy();
  const { call, at, repository } = proxy;
  const ours = await loginOf(proxy);
  await call(at("/issues"), { title: "x" });
  await steer({
    action: "fault",
    path: `${repository}/issues/1/labels`,
    fault: { kind: "status", status: 502 },
  });
  expect(problemOf(await call(at("/issues/1"), { state: "in_progress" }, "PATCH")).error.nothingWritten).toBe(false);
  expect((await call(at("/issues/1"))).body).toMatchObject({ labels: [], assignees: [ours] });
  expect((await call(at("/issues/1"), { state: "in_progress" }, "PATCH")).body).toMatchObject({
    labels: ["in progress"],
    assignees: [ours],
  });
  await steer({
    action: "fault",
    method: "DELETE",
    path: `${repository}/issues/1/labels`,
    fault: { kind: "status", status: 502 },
  });
  expect((await call(at("/issues/1"), { state: "open" }, "PATCH")).status).toBeGreaterThanOrEqual(500);
  expect((await call(at("/issues/1"), { state: "open" }, "PATCH")).body).toMatchObject({ labels: [], assignees: [] });
});

test("an assignee that GitHub refuses leaves the issue in progress by its label", async () => {
  const { call, at, repository } = await aProxy();
  await call(at("/issues"), { title: "x" });
  await steer({
    action: "fault",
    path: `${repository}/issues/1/assignees`,
    fault: { kind: "status", status: 403, message: "Must have push access" },
  });
  expect((await call(at("/issues/1"), { state: "in_progress" }, "PATCH")).body).toMatchObject({
    labels: ["in progress"],
    assignees: [],
  });
});
