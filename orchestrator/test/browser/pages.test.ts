import { createClient } from "@shared/client";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { isTooWide, seriousFindings } from "./axe.ts";
import { launch, read, signIn, visit } from "./browser.ts";
import { DECISION, writeDeadLetters, writeExecutions, writeRequests } from "./executionRecords.ts";
import { placeOrder } from "./orders.ts";
import { PROVIDER_STATUSES } from "./providerFixture.ts";
import { OpsStore } from "./store.ts";

const { url, token, data } = inject("stack");
const client = createClient({ url, token });
let browser: Browser;
beforeAll(async () => {
  browser = await launch();
  const reports = await client.health();
  if (!reports.ok) throw new Error(reports.error.message);
  await placeOrder(client, "ORD-QUEUE", "Retries that do not stampede");
  const store = new OpsStore(data);
  writeExecutions(store);
  writeDeadLetters(store);
  writeRequests(store);
  store.close();
});
afterAll(() => browser.close());

/** Each page, and what is there once it has been read. */
const PAGES: [path: string, shown: (page: Page) => Promise<unknown>][] = [
  ["/", (page) => page.getByRole("heading", { name: "In flight" }).waitFor()],
  ["/live", (page) => page.locator("[data-patch]").first().waitFor()],
  ["/live?patch=ORD-SAMPLE.last", (page) => page.getByTestId("diff").locator("table").first().waitFor()],
  ["/live?patch=ORD-SAMPLE.last&view=split", (page) => page.getByTestId("diff").locator("table").first().waitFor()],
  ["/live?patch=ORD-SAMPLE.stale", (page) => page.getByText("AMBIGUOUS_LOCATION").first().waitFor()],
  ["/live?q=there-is-no-such-text", (page) => page.getByText("No patch passes these filters").waitFor()],
  ["/orders", (page) => page.getByText("ORD-SAMPLE").first().waitFor()],
  ["/orders/ORD-SAMPLE", (page) => page.locator("[data-patch]").first().waitFor()],
  ["/orders/ORD-SAMPLE?tab=files", (page) => page.getByText("src/tools.ts").first().waitFor()],
  ["/orders/ORD-SAMPLE?tab=replay&file=src%2Ftools.ts", (page) => page.getByText("as hashed in the tree").waitFor()],
  ["/orders/ORD-SAMPLE?tab=report", (page) => page.getByTestId("report").waitFor()],
  ["/orders/ORD-NOWHERE", (page) => page.getByText("There is nothing here").first().waitFor()],
  ["/analytics", (page) => page.getByText("Patches a day").first().waitFor()],
  ["/delivery", (page) => page.getByText("ORD-SAMPLE").first().waitFor()],
  ["/delivery?order=ORD-SAMPLE", (page) => page.getByTestId("report").waitFor()],
  ["/executions", (page) => page.locator('a[href="/executions/E-FELLBACK"]').waitFor()],
  ["/executions?status=failed&provider=gemini", (page) => page.locator('a[href="/executions/E-ENDED-01"]').waitFor()],
  ["/executions?order=ORD-NOWHERE", (page) => page.getByText("No execution passes these filters").waitFor()],
  ["/executions/E-FELLBACK", (page) => page.locator('[data-testid="terminal"][data-state="ended"]').waitFor()],
  ["/executions/E-FELLBACK?tab=change", (page) => page.getByTestId("diff").locator("table").first().waitFor()],
  ["/executions/E-FELLBACK?tab=prompt", (page) => page.getByText("You work on task").waitFor()],
  ["/executions/E-FELLBACK?tab=decision", (page) => page.getByText("Ruled out").waitFor()],
  ["/executions/E-ASKS", (page) => page.getByRole("button", { name: "Keep the wire format" }).waitFor()],
  ["/executions/E-QUEUED", (page) => page.getByText("Nothing has run yet").waitFor()],
  ["/executions/E-NOWHERE", (page) => page.getByText("There is nothing here").first().waitFor()],
  ["/providers", (page) => page.locator('[data-provider="codex"]').waitFor()],
  ["/providers?provider=ai-gateway", (page) => page.getByRole("button", { name: "Probe", exact: true }).waitFor()],
  ["/providers?task=ORD-QUEUE.2", (page) => page.getByRole("dialog").getByText("Ruled out").waitFor()],
  [
    "/dead-letters?letter=9d3b7c1e4f5a4c0c8f1e-letter-1",
    (page) => page.getByRole("button", { name: "Redrive", exact: true }).waitFor(),
  ],
  ["/people", (page) => page.getByText("Plan to approve").first().waitFor()],
  ["/people?request=E-PLAN.1.plan", (page) => page.getByRole("button", { name: "Approve", exact: true }).waitFor()],
  ["/people?status=answered&request=E-OLD.1.q1", (page) => page.getByText("Use the fake server").waitFor()],
  ["/ops/summary", (page) => page.getByText("No scan has run yet").waitFor()],
  ["/ops/scans", (page) => page.getByText("No scans yet").waitFor()],
  ["/issues", (page) => page.getByText("Nothing is broken, as far as scans have seen").waitFor()],
  ["/issues?status=closed", (page) => page.getByText("No issue passes these filters").waitFor()],
  ["/health", (page) => page.locator('[data-worker="agent-factory"]').waitFor()],
  ["/health?worker=agent-factory", (page) => page.getByTestId("worker-health").waitFor()],
  ["/health?tab=checks", (page) => page.getByRole("tab", { name: "Checks", selected: true }).waitFor()],
  ["/health?tab=schedules", (page) => page.getByText("All Workers", { exact: true }).waitFor()],
  ["/logs", (page) => page.locator("[data-row]").first().waitFor()],
  ["/logs?operation=patch.revert&level=info", (page) => page.getByText("patch.revert").first().waitFor()],
  ["/logs?q=there-is-no-such-text", (page) => page.getByText("No line passes these filters").waitFor()],
  ["/logs?tab=schedules", (page) => page.getByText("delivery-reports").waitFor()],
  ["/alerts", (page) => page.getByText("No alerts yet").waitFor()],
  ["/alerts?tab=webhooks", (page) => page.getByRole("button", { name: "New webhook" }).waitFor()],
  ["/settings", (page) => page.getByRole("button", { name: "New token" }).waitFor()],
  ["/settings?tab=sessions", (page) => page.getByText("This browser").first().waitFor()],
];

/** Providers in every state, which the ones of a store without keys are not in. */
async function withProviders(page: Page): Promise<void> {
  await page.route("**/api/ai/providers", (route) =>
    route.fulfill({ json: { ok: true, providers: PROVIDER_STATUSES } }),
  );
  await page.route("**/api/ai/assign/explain*", (route) => route.fulfill({ json: { ok: true, decision: DECISION } }));
}

for (const theme of ["light", "dark"] as const)
  for (const width of [1440, 360])
    test(`every page in ${theme} at ${width} px: it is shown, axe finds nothing serious, it fits, nothing fails in it`, async () => {
      const { page, context, faults } = await visit(browser, url, { theme, width });
      await page.goto("/sign-in");
      await page.getByLabel("API token").waitFor();
      const found: Record<string, string[]> = { "/sign-in": await seriousFindings(page) };
      await signIn(page, token);
      await withProviders(page);
      // A page of an order that is not there is answered with 404, which the browser writes down.
      faults.length = 0;
      for (const [path, shown] of PAGES) {
        await page.goto(path);
        await shown(page);
        await read(page);
        found[path] = [...(await seriousFindings(page)), ...((await isTooWide(page)) ? ["wider than the screen"] : [])];
      }
      expect(found).toEqual(Object.fromEntries(Object.keys(found).map((path) => [path, []])));
      expect(faults.filter((fault) => !/(?:ORD|E)-NOWHERE/.test(fault))).toEqual([]);
      await context.close();
    }, 360_000);

test("an empty store says on each page what would be here", async () => {
  const { page, context } = await visit(browser, url);
  await signIn(page, token);
  // Every list answered as an instance without orders answers it.
  await page.route("**/api/patches/logs*", (route) => route.fulfill({ json: { ok: true, results: [], cursor: null } }));
  await page.route("**/api/orders?*", (route) => route.fulfill({ json: { ok: true, orders: [], cursor: null } }));
  await page.route("**/api/delivery/reports*", (route) =>
    route.fulfill({ json: { ok: true, reports: [], cursor: null } }),
  );
  await page.route("**/api/ai/executions?*", (route) =>
    route.fulfill({ json: { ok: true, executions: [], cursor: null } }),
  );
  await page.route("**/api/ai/dead-letters*", (route) =>
    route.fulfill({ json: { ok: true, deadLetters: [], cursor: null } }),
  );
  await page.route("**/api/hil?*", (route) => route.fulfill({ json: { ok: true, requests: [], cursor: null } }));
  await page.route("**/api/ai/providers", (route) => route.fulfill({ json: { ok: true, providers: [] } }));
  await page.route("**/api/health/workers", (route) => route.fulfill({ json: { ok: true, workers: [] } }));
  await page.route("**/api/health/checks?*", (route) =>
    route.fulfill({ json: { ok: true, checks: [], cursor: null } }),
  );
  await page.route("**/api/health/schedules?*", (route) =>
    route.fulfill({ json: { ok: true, schedules: [], cursor: null } }),
  );
  await page.route("**/api/logs?*", (route) =>
    route.fulfill({ json: { ok: true, results: [], cursor: null, last: 0 } }),
  );
  for (const [path, text] of [
    ["/executions", "No executions yet"],
    ["/dead-letters", "No dead letters"],
    ["/people", "Nobody waits for you"],
    ["/people?status=expired", "Nothing has expired"],
    ["/providers", "No providers"],
    ["/logs", "Nothing logged yet"],
    ["/alerts", "No alerts yet"],
    ["/alerts?tab=webhooks", "No webhooks"],
    ["/live", "No patches yet"],
    ["/orders", "No orders yet"],
    ["/delivery", "No reports yet"],
    ["/ops/summary", "Nothing waits for a person"],
    ["/ops/scans", "No scans yet"],
    ["/issues", "Nothing is broken, as far as scans have seen"],
    ["/issues?kind=build-log", "No issue passes these filters"],
    ["/prs", "GitHub is not connected"],
    ["/prs?tab=issues", "GitHub is not connected"],
    ["/health", "No Worker is checked"],
    ["/health?tab=checks", "No checks yet"],
    ["/health?tab=schedules", "No schedules"],
  ] as const) {
    await page.goto(path);
    await page.getByText(text).waitFor();
  }
  await context.close();
});

test("an orchestrator that does not answer is said on each page, with a way to try again", async () => {
  const { page, context } = await visit(browser, url);
  await signIn(page, token);
  await page.route("**/api/**", (route) => route.abort());
  for (const path of [
    "/",
    "/live",
    "/orders",
    "/orders/ORD-SAMPLE",
    "/people",
    "/executions",
    "/executions/E-FELLBACK",
    "/providers",
    "/dead-letters",
    "/analytics",
    "/delivery",
    "/ops/summary",
    "/ops/scans",
    "/issues",
    "/issues/1",
    "/projects/PRJ-SAMPLE/issues",
    "/prs",
    "/projects/PRJ-SAMPLE/prs",
    "/health",
    "/logs",
    "/alerts",
    "/settings",
  ]) {
    await page.goto(path);
    await page.getByText("The orchestrator does not answer").first().waitFor();
    await page.getByRole("button", { name: "Try again" }).first().waitFor();
  }
  await context.close();
});

test("keys: palette, help, search, to a page, through a list", async () => {
  const { page, context } = await visit(browser, url);
  await signIn(page, token, "/live?order=ORD-SAMPLE");
  await page.locator("[data-patch]").first().waitFor();
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await expect.poll(() => new URL(page.url()).searchParams.get("patch")).not.toBeNull();
  const first = new URL(page.url()).searchParams.get("patch");
  await page.keyboard.press("j");
  await expect.poll(() => new URL(page.url()).searchParams.get("patch")).not.toBe(first);
  await page.keyboard.press("k");
  await expect.poll(() => new URL(page.url()).searchParams.get("patch")).toBe(first);
  await page.keyboard.press("/");
  await page.keyboard.type("tools");
  await expect.poll(() => new URL(page.url()).searchParams.get("q")).toBe("tools");
  await page.keyboard.press("Escape");
  await page.keyboard.press("g");
  await page.keyboard.press("a");
  await page.waitForURL("**/analytics");
  await page.keyboard.press("Control+k");
  await page.getByRole("dialog", { name: "Go to or do" }).waitFor();
  await page.keyboard.type("ORD-SAMPLE");
  await page
    .getByRole("option", { name: /ORD-SAMPLE/ })
    .last()
    .waitFor();
  await page.getByRole("option", { name: /counts and reverses/ }).click();
  await page.waitForURL("**/orders/ORD-SAMPLE");
  await context.close();
});
