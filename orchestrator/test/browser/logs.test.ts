import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo } from "node:net";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { connected, launch, signIn, visit } from "./browser.ts";

const { url, token } = inject("stack");
let browser: Browser;
let server: Server;
let receiver = "";
const received: { id: string; signature: string; body: string }[] = [];
beforeAll(async () => {
  browser = await launch();
  server = createServer((request: IncomingMessage, response: ServerResponse) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      const { "webhook-id": id, "webhook-signature": signature } = request.headers;
      received.push({ id: String(id), signature: String(signature), body });
      response.end();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  receiver = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
});
afterAll(async () => {
  await browser.close();
  server.closeAllConnections();
  server.close();
});

async function write(...messages: string[]): Promise<void> {
  const entries = messages.map((message) => ({
    operation: "test.line",
    level: "warn",
    message,
    orderId: "ORD-SAMPLE",
    patchId: "ORD-SAMPLE.last",
    meta: { note: "<img src=x onerror=alert(1)>" },
  }));
  const response = await fetch(`${url}/api/logs`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ entries }),
  });
  expect(response.status).toBe(200);
}

test("a line is seen as it is written; paused, the list holds still and says how many came; opened, it leads to order and patch", async () => {
  const { page, context, faults } = await visit(browser, url);
  await signIn(page, token, "/logs?operation=test.line");
  await page.getByText("No line passes these filters").waitFor();
  await write("the first of them");
  await page.getByText("the first of them").waitFor();

  await page.keyboard.press("p");
  await write("the second", "the third");
  await page.getByText("2 new, paused").waitFor();
  expect(await page.getByText("the third").count()).toBe(0);
  await page.getByText("2 new, paused").click();
  await page.getByText("the third").waitFor();
  expect(await page.locator("[data-row]").count()).toBe(3);

  await page.getByText("the second").click();
  await page.getByTestId("log-panel").getByText("<img src=x onerror=alert(1)>").waitFor();
  expect(new URL(page.url()).searchParams.get("row")).toMatch(/^\d+$/);
  // The address alone brings the same view back.
  await page.reload();
  await page.getByTestId("log-panel").getByText("the second").waitFor();
  await page.getByTestId("log-panel").getByRole("link", { name: "ORD-SAMPLE", exact: true }).click();
  await page.waitForURL("**/orders/ORD-SAMPLE");
  await page.goBack();
  await page.getByTestId("log-panel").getByRole("link", { name: "ORD-SAMPLE.last" }).click();
  await page.waitForURL("**/live?patch=ORD-SAMPLE.last");
  expect(faults).toEqual([]);
  await context.close();
});

test("thousands of lines are searched and scrolled through, few of them drawn", async () => {
  for (let round = 0; round < 5; round += 1) {
    await write(...Array.from({ length: 100 }, (_, index) => `many ${round * 100 + index} of them`));
  }
  const { page, context } = await visit(browser, url);
  await signIn(page, token, "/logs?operation=test.line&q=many");
  await page.getByText("many 499 of them").waitFor();
  expect(await page.locator("[data-row]").count()).toBeLessThan(80);
  const list = page.getByRole("region", { name: "Lines of the log" });
  await expect
    .poll(async () => {
      await list.evaluate((element) => element.scrollTo({ top: element.scrollHeight }));
      return page.getByText("many 0 of them").count();
    })
    .toBe(1);
  await page.getByText("That is all of the log.").waitFor();
  await context.close();
});

test("a webhook is made, its secret shown once; a test message arrives signed and is listed; it is sent again, and deleted", async () => {
  const { page, context, faults } = await visit(browser, url);
  await signIn(page, token, "/alerts?tab=webhooks");
  await connected(page);
  await page.getByRole("button", { name: "New webhook" }).click();
  await page.getByLabel("Name").fill("the pager");
  await page.getByLabel("Address").fill("http://10.0.0.1/hook");
  await page.getByRole("button", { name: "Make webhook" }).click();
  await page.getByRole("alert").getByText("only https").waitFor();
  await page.getByLabel("Address").fill(receiver);
  await page.getByRole("button", { name: "Make webhook" }).click();
  const secret = await page.getByTestId("webhook-secret").innerText();
  expect(secret).toMatch(/^whsec_/);
  await page.getByRole("button", { name: "Done" }).click();
  expect(await page.content()).not.toContain(secret);

  const card = page.locator('[data-webhook="the pager"]');
  await card.getByRole("button", { name: "Send a test" }).click();
  await card.getByRole("button", { name: "Deliveries" }).click();
  await card.getByText("Delivered", { exact: true }).waitFor();
  expect(received).toHaveLength(1);
  await card.getByRole("button", { name: "Send again" }).click();
  await expect.poll(() => received.length, { timeout: 30_000 }).toBe(2);
  expect(new Set(received.map(({ id }) => id)).size).toBe(1);
  expect(received[0]?.signature).toMatch(/^v1,/);
  await card.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("button", { name: "Delete for good" }).click();
  await card.waitFor({ state: "detached" });
  expect(faults.filter((fault) => !fault.includes("400"))).toEqual([]);
  await context.close();
});

test("alerts say what, since when and how often, whatever stands in them; one is closed by hand", async () => {
  const alert = (id: string, more: object) => ({
    id,
    kind: "health.down",
    severity: "critical",
    title: "ui-factory is down",
    text: "Three checks failed in a row.",
    dedupe_key: id,
    worker: "ui-factory",
    order_id: null,
    project_id: null,
    data: {},
    status: "open",
    count: 12,
    told: 1,
    first_at: new Date(Date.now() - 3_600_000).toISOString(),
    last_at: new Date(Date.now() - 60_000).toISOString(),
    told_at: new Date(Date.now() - 3_600_000).toISOString(),
    resolved_at: null,
    resolved_by: null,
    ...more,
  });
  const hostile = "<script>globalThis.taken = true</script><img src=x onerror='globalThis.taken = true'>";
  let alerts = [
    alert("a-1", {}),
    alert("a-2", {
      severity: "warning",
      kind: "schedule.failed",
      title: hostile,
      text: hostile,
      order_id: "ORD-SAMPLE",
    }),
  ];
  const closed: string[] = [];
  const { page, context, faults } = await visit(browser, url);
  await signIn(page, token);
  await page.route("**/api/alerts?*", (route) => route.fulfill({ json: { ok: true, alerts, cursor: null } }));
  await page.route("**/api/alerts/*/resolve", (route) => {
    closed.push(new URL(route.request().url()).pathname);
    alerts = alerts.slice(1);
    return route.fulfill({ json: { ok: true, alert: null } });
  });
  await page.goto("/alerts");
  const first = page.locator('[data-alert="a-1"]');
  await first.getByText("Critical").waitFor();
  await first.getByText("seen 12 times").waitFor();
  await page.locator('[data-alert="a-2"]').getByText(hostile).first().waitFor();
  expect(await page.evaluate(() => "taken" in globalThis)).toBe(false);
  await first.getByRole("button", { name: "Close ui-factory is down" }).click();
  await first.waitFor({ state: "detached" });
  expect(closed).toEqual(["/api/alerts/a-1/resolve"]);
  expect(faults).toEqual([]);
  await context.close();
});
