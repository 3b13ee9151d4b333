import type { Scope } from "@shared/contracts";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isTooWide, seriousFindings } from "./axe.ts";
import { launch, read, signIn, visit } from "./browser.ts";
import {
  HOSTILE,
  type Night,
  openPulls,
  REPOSITORY,
  startNight,
  writeLogs,
  writeNights,
  writeOrderPulls,
} from "./nightFixture.ts";
import { OpsStore } from "./store.ts";

const ORDER = "ORD-NIGHT";
const PULLS = 33;
let night: Night;
let browser: Browser;

beforeAll(async () => {
  [night, browser] = await Promise.all([startNight(), launch()]);
  const { client } = night;
  const made = [
    await client.projects.create({ id: "PRJ-NIGHT", name: "Night", repository: `https://github.com/${REPOSITORY}` }),
    await client.projects.create({ id: "PRJ-OTHER", name: "Other", repository: "acme/other" }),
    await client.projects.create({ id: "PRJ-BARE", name: "Bare" }),
    await client.orders.create({ id: ORDER, title: "A cart", factory: "ui-factory", projectId: "PRJ-NIGHT" }),
  ];
  for (const answer of made) if (!answer.ok) throw new Error(answer.error.message);
  await writeLogs(night);
  await openPulls(night, ORDER, PULLS);
  const store = new OpsStore(night.data);
  writeNights(store);
  writeOrderPulls(store, ORDER, night.github.url);
  store.insert("ai_provider_executions", {
    execution_id: "E-NIGHT",
    provider_name: "codex",
    task_uuid: "t",
    order_id: ORDER,
    class: "applied",
    status: "completed",
    created_at: new Date().toISOString(),
  });
  store.close();
}, 240_000);
afterAll(async () => {
  await browser?.close();
  await night?.remove();
});

async function tokenWith(...scopes: Scope[]): Promise<string> {
  const answer = await night.client.auth.createToken({ name: scopes.join(" "), scopes });
  if (!answer.ok) throw new Error(answer.error.message);
  return answer.token;
}
async function choose(page: Page, what: string, option: string | RegExp): Promise<void> {
  await page.getByRole("combobox", { name: what }).click();
  await page.getByRole("option", { name: option }).click();
}
const summaryOf = async () => {
  const answer = await night.client.ops.summary();
  if (!answer.ok) throw new Error(answer.error.message);
  return answer;
};
const issuesOf = async (query: object) => {
  const answer = await night.client.ops.issues({ limit: 100, ...query });
  if (!answer.ok) throw new Error(answer.error.message);
  return answer.issues;
};
/** Whichever test comes first: the night has been scanned, once. */
const scanned = async (): Promise<void> => {
  const last = await night.client.ops.lastScan();
  if (!last.ok) throw new Error(last.error.message);
  if (last.scan?.id === 62) await night.client.ops.scan("full");
};
const scannedIssue = async (worker: string) => {
  await scanned();
  const [issue] = await issuesOf({ worker, severity: 3 });
  if (!issue) throw new Error(`nothing was found of ${worker}`);
  return issue;
};
/** As `expect.poll`, with the patience that a loaded machine needs. */
const soon = <T>(look: () => Promise<T>) => expect.poll(look, { timeout: 30_000 });
const rows = (page: Page) => page.locator("tr[data-row]");

test("a scan that is begun shows as a row with what it counted, and the summary's numbers are the API's", async () => {
  const { page, context, faults } = await visit(browser, night.url);
  await signIn(page, night.token, "/ops/scans");
  await page.locator('[data-scan="62"]').waitFor();
  expect(await page.locator("[data-scan]").count()).toBe(50);
  await page.locator('[data-scan="61"]').getByText("no sign of life").first().waitFor();
  expect(await page.locator('[data-scan="60"]').innerText()).toContain(HOSTILE);
  await page.getByRole("button", { name: "Older scans" }).click();
  await page.locator('[data-scan="1"]').waitFor();

  await page.getByRole("button", { name: "Scan now" }).click();
  const row = page.locator('[data-scan="63"]');
  await page.locator('[data-scan="63"][data-outcome="done"]').waitFor({ timeout: 60_000 });
  const last = await night.client.ops.lastScan();
  if (!last.ok || last.scan?.totals == null) throw new Error("the scan is not on record");
  expect(last.scan).toMatchObject({
    id: 63,
    scope: "full",
    totals: { worker_logs: 7, build_logs: 1, issues_opened: 3 },
  });
  expect(await row.innerText()).toMatch(/Everything/);
  for (const [name, value] of [
    ["Worker lines", 7],
    ["CI lines", 1],
    ["filed", 3],
  ] as const)
    expect(await row.locator("dl > div", { hasText: name }).first().locator("dd").innerText()).toBe(String(value));

  await page.getByRole("tab", { name: "Summary" }).click();
  await page.waitForURL("**/ops/summary");
  const summary = await summaryOf();
  const shown = async (key: string): Promise<number> =>
    Number(await page.locator(`[data-count="${key}"] dd`).first().innerText());
  await page.locator('[data-count="open"]').waitFor();
  for (const { status, count } of summary.breakdown)
    expect.soft([status, await shown(status)]).toEqual([status, count]);
  for (const severity of [1, 2, 3, 4, 5]) {
    const count = summary.by_severity.find((each) => each.severity === severity)?.count ?? 0;
    expect.soft([severity, await shown(String(severity))]).toEqual([severity, count]);
  }
  for (const { kind, count } of summary.by_kind) expect.soft([kind, await shown(kind)]).toEqual([kind, count]);
  for (const age of ["day", "week", "month", "older"] as const)
    expect.soft([age, await shown(age)]).toEqual([age, summary.by_age[age]]);
  expect(summary.waiting.count).toBeGreaterThan(0);
  expect(await page.getByTestId("waiting-count").innerText()).toBe(String(summary.waiting.count));
  expect(await page.getByRole("list", { name: "Needs a person now" }).getByRole("listitem").count()).toBe(
    summary.waiting.issues.length,
  );
  await page.getByTestId("last-scan").getByText("Done").waitFor();
  await page.getByRole("link", { name: "All scans" }).click();
  await page.waitForURL("**/ops/scans");
  expect(await page.getByRole("tab", { name: "Scans" }).getAttribute("aria-selected")).toBe("true");
  await row.waitFor();
  // The page by its name alone is its summary.
  await page.goto("/ops");
  await page.waitForURL("**/ops/summary");
  // To what a count counts.
  await page.locator('[data-count="closed"]').getByRole("link").click();
  await page.waitForURL("**/issues?status=closed");
  expect(faults).toEqual([]);
  await context.close();
});

test("issues are filtered by status, severity, kind, Worker, repository, project and when they were last seen, and read page by page", async () => {
  await scanned();
  const { page, context, faults } = await visit(browser, night.url);
  await signIn(page, night.token, "/issues");
  await rows(page).first().waitFor();
  const all = await issuesOf({});
  expect(all.length).toBeGreaterThan(60);
  expect(await rows(page).count()).toBe(50);
  await page.getByRole("button", { name: "Older issues" }).click();
  await soon(() => rows(page).count()).toBe(all.length);
  expect(await rows(page).evaluateAll((list) => list.map((row) => (row as HTMLElement).dataset.row))).toEqual(
    all.map(({ id }) => String(id)),
  );

  const shows = async (query: object): Promise<void> => {
    const wanted = (await issuesOf(query)).map(({ id }) => String(id)).slice(0, 50);
    expect(wanted.length).toBeGreaterThan(0);
    await soon(() => rows(page).evaluateAll((list) => list.map((row) => (row as HTMLElement).dataset.row))).toEqual(
      wanted,
    );
  };
  await choose(page, "Status", "Closed");
  await shows({ status: "closed" });
  await choose(page, "Status", "Any status");
  await choose(page, "Severity", /^2 /);
  await shows({ severity: 2 });
  await choose(page, "Kind", "Worker");
  await shows({ severity: 2, kind: "worker-log" });
  await choose(page, "Worker", "checkout");
  await shows({ severity: 2, worker: "checkout" });
  expect(new URL(page.url()).search).toBe("?severity=2&kind=worker-log&worker=checkout");
  await page.reload();
  await shows({ severity: 2, worker: "checkout" });
  await page.getByRole("button", { name: "Clear" }).click();
  const lastSeen = (days: number) => ({ since: new Date(Date.now() - days * 86_400_000).toISOString() });
  await choose(page, "Last seen", "Seen in the last day");
  await shows(lastSeen(1));
  expect(await rows(page).count()).toBeLessThan(10);
  await choose(page, "Last seen", "Seen in the last week");
  await shows(lastSeen(7));
  expect(new URL(page.url()).search).toBe("?seen=week");
  await page.getByRole("button", { name: "Clear" }).click();
  await choose(page, "Repository", "acme/other");
  await shows({ repo: "acme/other" });
  await choose(page, "Repository", "All repositories");
  // A project is an address, which the other filters stay with.
  await choose(page, "Kind", "CI build");
  await choose(page, "Project", /^Other/);
  await page.waitForURL("**/projects/PRJ-OTHER/issues?kind=build-log");
  await shows({ project: "PRJ-OTHER", kind: "build-log" });
  expect(await page.getByRole("link", { name: "Issues", exact: true }).getAttribute("aria-current")).toBe("page");
  await choose(page, "Kind", "Any kind");
  await page.reload();
  await shows({ project: "PRJ-OTHER" });
  // Its build, and what a Worker logged at the commit that broke it.
  expect(await rows(page).count()).toBe(2);
  await page.getByRole("button", { name: "Clear" }).click();
  await page.waitForURL((address) => address.pathname === "/issues");
  await page.goto(`/orders/${ORDER}`);
  await page.getByRole("link", { name: "its issues" }).click();
  await page.waitForURL("**/projects/PRJ-NIGHT/issues");
  await shows({ project: "PRJ-NIGHT" });
  // By keyboard, to one of them.
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.getByTestId("ops-issue").waitFor();
  await page.goto("/issues?worker=nobody");
  await page.getByText("No issue passes these filters").waitFor();
  expect(faults).toEqual([]);
  await context.close();
});

test("an issue says what was logged, how grave it is by rule and by a model, in whose words, and what was seen beside it", async () => {
  const { page, context, faults } = await visit(browser, night.url);
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await signIn(page, night.token, "/issues/101");
  const issue = page.getByTestId("ops-issue");
  await issue.waitFor();
  const text = await issue.innerText();
  expect(text).toContain(HOSTILE);
  expect(text).toContain("312 times");
  const words = page.getByTestId("model-words");
  expect(await words.locator("figcaption").innerText()).toMatch(
    /What a model takes for the cause:\s*ai-gateway:grader-1/,
  );
  expect(await words.locator("blockquote").innerText()).toBe(`The price is read before the cart is there. ${HOSTILE}`);
  expect(text).toMatch(/Severity\s*2\s*Grave\s*by rule/);
  expect(text).toMatch(/Severity\s*1\s*Critical\s*by the model/);
  await page.getByRole("button", { name: "Copy the prompt" }).click();
  await page.getByRole("button", { name: "Copied" }).waitFor();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(
    `Find and mend the cause of an error of the Worker billing.\n\n${HOSTILE}`,
  );
  // Its address on GitHub is none of GitHub's: text, and no way there.
  await issue.getByText("Issue #900 on GitHub").waitFor();
  expect(await issue.getByRole("link", { name: "Issue #900 on GitHub" }).count()).toBe(0);
  expect(await page.locator("article a[href^='javascript'], article img, article script").count()).toBe(0);
  await page.getByRole("list", { name: "Also seen there" }).getByRole("link").click();
  await page.waitForURL("**/issues/102");
  const link = page.getByRole("link", { name: "Issue #901 on GitHub" });
  expect(await link.getAttribute("href")).toBe("https://github.com/acme/other/issues/901");
  expect(await link.getAttribute("rel")).toContain("noopener");
  await page.getByText("Held by token:somebody-else").waitFor();
  expect(await page.title()).not.toContain("taken");
  expect(faults).toEqual([]);
  await page.goto("/alerts");
  await page.locator('[data-alert="alert-of-101"]').getByRole("link", { name: "issue 101" }).click();
  await page.waitForURL("**/issues/101");
  await page.goto("/issues/999999");
  await page.getByText("There is nothing here").waitFor();
  await context.close();
});

test("an issue is claimed until a time, seen to be so by others, renewed and given back; GitHub is told", async () => {
  const issue = await scannedIssue("checkout");
  expect(issue.gh_issue_url).toContain(night.github.url);
  const first = await visit(browser, night.url);
  await signIn(first.page, await tokenWith("ops:read", "ops:write", "patches:read"), `/issues/${issue.id}`);
  const second = await visit(browser, night.url);
  await signIn(second.page, await tokenWith("ops:read", "ops:write", "patches:read"), `/issues/${issue.id}`);
  const reader = await visit(browser, night.url);
  await signIn(reader.page, await tokenWith("ops:read", "patches:read"), `/issues/${issue.id}`);
  const claim = (page: Page) => page.getByRole("button", { name: "Claim", exact: true });
  await claim(second.page).waitFor();

  await choose(first.page, "How long", "for 4 hours");
  await claim(first.page).click();
  await first.page.getByText(/Held by you, ends in 3h/).waitFor();
  await first.page.locator('[data-testid="ops-issue"][data-status="in_progress"]').waitFor();
  // Who is late is told, and shown who was first.
  await claim(second.page).click();
  await second.page.getByRole("alert").getByText("CONFLICT").waitFor();
  await second.page.getByText(/Held by token:\S+, ends in 3h/).waitFor();
  expect(await second.page.getByRole("button", { name: "Release" }).count()).toBe(0);
  // Who may only read is offered nothing.
  await reader.page.getByTestId("ops-issue").waitFor();
  for (const name of ["Claim", "Renew", "Release", "Work on it"])
    expect(await reader.page.getByRole("button", { name, exact: true }).count()).toBe(0);

  await choose(first.page, "How long", "for a day");
  await first.page.getByRole("button", { name: "Renew" }).click();
  await first.page.getByText(/Held by you, ends in 23h/).waitFor();
  const labels = async (): Promise<string[]> => {
    const answer = await night.client.github.issues({ state: "all", per_page: 100 });
    if (!answer.ok) throw new Error(answer.error.message);
    return answer.issues.find(({ number }) => number === issue.gh_issue_number)?.labels ?? [];
  };
  expect(await labels()).toContain("in progress");
  await first.page.getByRole("button", { name: "Release" }).click();
  await claim(first.page).waitFor();
  expect(await labels()).not.toContain("in progress");
  for (const { context, faults } of [first, second, reader]) {
    expect(faults.filter((fault) => !/409|403/.test(fault))).toEqual([]);
    await context.close();
  }
});

test("an issue is made an order, which its page leads to; asked again it is the same one", async () => {
  await scanned();
  const [issue] = await issuesOf({ repo: REPOSITORY, kind: "build-log" });
  if (!issue) throw new Error("nothing was found of the build");
  const { page, context, faults } = await visit(browser, night.url);
  await signIn(page, night.token, `/issues/${issue.id}`);
  await page.getByRole("button", { name: "Work on it" }).click();
  // The project whose build it is, by itself.
  await soon(() => page.getByRole("combobox", { name: "Project" }).innerText()).toBe("Night");
  await page.getByRole("button", { name: "Make the order" }).click();
  await page.waitForURL(`**/orders/ORD-OPS-${issue.id}.1`);
  await page.getByRole("heading", { level: 1, name: /^Mend: acme\/night/ }).waitFor();
  const order = await night.client.orders.get(`ORD-OPS-${issue.id}.1`);
  if (!order.ok) throw new Error(order.error.message);
  expect(order.order).toMatchObject({ project_id: "PRJ-NIGHT", factory: "services-factory" });
  expect(order.tasks.map(({ type }) => type)).toEqual(["fix"]);
  expect(order.order.description).toBe(issue.prompt);
  await page.goto(`/issues/${issue.id}`);
  await page.getByRole("link", { name: "To its order" }).click();
  await page.waitForURL(`**/orders/ORD-OPS-${issue.id}.1`);
  expect(await night.client.ops.work(issue.id, { projectId: order.order.project_id })).toMatchObject({
    ok: true,
    created: false,
  });
  expect(faults).toEqual([]);
  await context.close();
});

test("pull requests are listed by repository and state, page by page, each with the order and the execution that made it", async () => {
  const { page, context, faults } = await visit(browser, night.url);
  await signIn(page, night.token, "/prs");
  const pulls = page.locator("[data-pull]");
  await pulls.first().waitFor();
  expect(await pulls.count()).toBe(30);
  await page.getByRole("button", { name: "Older pull requests" }).click();
  await soon(() => pulls.count()).toBe(PULLS - 1);
  const ours = page.locator('[data-pull="1"]');
  const to = ours.getByRole("link", { name: "Change 1" });
  expect(await to.getAttribute("href")).toBe(`${night.github.url}/${REPOSITORY}/pull/1`);
  expect(await to.getAttribute("rel")).toContain("noopener");
  expect(await ours.getByRole("link", { name: "E-NIGHT" }).getAttribute("href")).toBe("/executions/E-NIGHT");
  expect(await page.locator('[data-pull="2"]').innerText()).toContain(HOSTILE);
  expect(await page.locator('[data-pull="2"] a').count()).toBe(1);
  await page.locator('[data-pull="3"]').getByText("Draft").waitFor();
  expect(await page.locator('[data-pull="4"]').count()).toBe(0);

  await page.getByRole("radio", { name: "Closed" }).click();
  await soon(() => pulls.evaluateAll((list) => list.map((row) => (row as HTMLElement).dataset.pull))).toEqual(["4"]);
  expect(new URL(page.url()).search).toBe("?state=closed");
  await choose(page, "Project", /^Other/);
  await page.waitForURL("**/projects/PRJ-OTHER/prs?state=closed");
  await page.getByText("This repository is not reached").waitFor();
  await page.goto("/projects/PRJ-BARE/prs");
  await page.getByText("This project has no repository on GitHub").waitFor();
  await page.goto(`/orders/${ORDER}`);
  await page.getByRole("link", { name: "its pull requests" }).click();
  await page.waitForURL("**/projects/PRJ-NIGHT/prs");
  await pulls.first().waitFor();
  await page.getByRole("button", { name: "Older pull requests" }).click();
  await ours.getByRole("link", { name: ORDER }).click();
  await page.waitForURL(`**/orders/${ORDER}`);

  // Issues on GitHub, with those here that they were filed for.
  await page.goto("/prs?tab=issues");
  const filed = await scannedIssue("gateway");
  await page
    .locator(`[data-github-issue="${filed.gh_issue_number}"]`)
    .getByRole("link", { name: `filed for issue ${filed.id} here` })
    .click();
  await page.waitForURL(`**/issues/${filed.id}`);
  expect(faults.filter((fault) => !fault.includes("acme%2Fother"))).toEqual([]);
  expect(await page.title()).not.toContain("taken");
  await context.close();
});

test("an order shows its pull requests with what their checks came to, and nothing where it has none", async () => {
  const { page, context, faults } = await visit(browser, night.url);
  await signIn(page, night.token, `/orders/${ORDER}`);
  const list = page.getByRole("list", { name: "Pull requests of this order" });
  await list.waitFor();
  expect(await list.getByRole("listitem").allInnerTexts()).toEqual([
    expect.stringMatching(/acme\/night#1004\s+Open$/),
    expect.stringMatching(/acme\/night#1003\s+Merged\s+Checks passed/),
    expect.stringMatching(/acme\/night#1002\s+Closed\s+Checks failed/),
    expect.stringMatching(/acme\/night#1\s+Draft\s+Checks run/),
  ]);
  const first = list.getByRole("link", { name: "acme/night#1", exact: true });
  expect(await first.getAttribute("href")).toBe(`${night.github.url}/${REPOSITORY}/pull/1`);
  expect(await first.getAttribute("rel")).toContain("noopener");
  // An address that is none of GitHub's is no way anywhere.
  expect(await page.locator('[data-order-pull="1004"] a').count()).toBe(0);
  const bare = await night.client.orders.create({
    id: "ORD-BARE",
    title: "Nothing yet",
    factory: "ui-factory",
    projectId: "PRJ-NIGHT",
  });
  if (!bare.ok) throw new Error(bare.error.message);
  const asked = page.waitForResponse((response) => response.url().endsWith("/api/orders/ORD-BARE/pull-requests"));
  await page.goto("/orders/ORD-BARE");
  expect((await asked).status()).toBe(200);
  await page.getByRole("heading", { level: 1, name: "Nothing yet" }).waitFor();
  expect(await list.count()).toBe(0);
  expect(faults).toEqual([]);
  await context.close();
});

test("a GitHub that refuses is said, with a way to ask again", async () => {
  const { page, context } = await visit(browser, night.url);
  await signIn(page, night.token, "/ops/summary");
  await night.github.run({
    action: "fault",
    path: "/pulls",
    fault: { kind: "status", status: 403, message: "Resource not accessible by personal access token" },
  });
  await page.goto("/prs?state=all");
  await page.getByText("GitHub refuses").waitFor();
  await page.getByText("Resource not accessible").waitFor();
  await page.getByRole("button", { name: "Try again" }).click();
  await page.locator("[data-pull]").first().waitFor();
  await context.close();
});

test("who may not scan is offered none", async () => {
  const { page, context } = await visit(browser, night.url);
  await signIn(page, await tokenWith("ops:read", "patches:read"), "/ops/summary");
  await page.getByTestId("last-scan").waitFor();
  expect(await page.getByRole("button", { name: "Scan now" }).count()).toBe(0);
  await context.close();
});

/** Each page, and what is there once it has been read. */
const PAGES: [path: string, shown: (page: Page) => Promise<unknown>][] = [
  ["/ops/summary", (page) => page.getByTestId("last-scan").waitFor()],
  ["/ops/scans", (page) => page.locator('[data-scan="62"]').waitFor()],
  ["/issues", (page) => page.locator("[data-row]").first().waitFor()],
  ["/issues/101", (page) => page.getByTestId("model-words").waitFor()],
  ["/issues/102", (page) => page.getByTestId("ops-issue").waitFor()],
  ["/prs?state=all", (page) => page.locator("[data-pull]").first().waitFor()],
  ["/prs?tab=issues", (page) => page.locator("[data-github-issue]").first().waitFor()],
  [`/orders/${ORDER}`, (page) => page.getByRole("list", { name: "Pull requests of this order" }).waitFor()],
  ["/projects/PRJ-NIGHT/issues", (page) => page.locator("[data-row]").first().waitFor()],
  ["/projects/PRJ-NIGHT/prs", (page) => page.locator("[data-pull]").first().waitFor()],
  ["/projects/PRJ-OTHER/prs", (page) => page.getByText("This repository is not reached").waitFor()],
];

for (const theme of ["light", "dark"] as const)
  for (const width of [1440, 360])
    test(`every page of the night in ${theme} at ${width} px: it is shown, axe finds nothing serious, it fits, nothing fails in it`, async () => {
      await scanned();
      const { page, context, faults } = await visit(browser, night.url, { theme, width });
      await signIn(page, night.token, "/ops/summary");
      const found: Record<string, string[]> = {};
      for (const [path, shown] of PAGES) {
        await page.goto(path);
        await shown(page);
        await read(page);
        found[path] = [...(await seriousFindings(page)), ...((await isTooWide(page)) ? ["wider than the screen"] : [])];
      }
      expect(found).toEqual(Object.fromEntries(PAGES.map(([path]) => [path, []])));
      expect(faults.filter((fault) => !fault.includes("acme%2Fother"))).toEqual([]);
      await context.close();
    }, 240_000);
