import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { listWorkers } from "../../../scripts/repository.ts";
import { launch, signIn, visit } from "./browser.ts";

const { url, token } = inject("stack");
/** The orchestrator and those in apps/: all of them are checked. */
const WORKERS = listWorkers().length;
let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

test("a deep check is begun, each Worker says what it found, down to its canary, and stands as up", async () => {
  const { page, context, faults } = await visit(browser, url);
  await signIn(page, token, "/health");
  await page.locator('[data-worker="agent-factory"]').waitFor();
  faults.length = 0;
  await page.getByRole("button", { name: "Deep check" }).click();
  const check = page.getByTestId("health-check");
  await check.getByRole("heading", { name: "ui-factory" }).waitFor();
  await check.getByText("Passed", { exact: true }).first().waitFor({ timeout: 60_000 });
  await expect.poll(() => check.getByRole("list", { name: "Profiles" }).count(), { timeout: 60_000 }).toBe(WORKERS);
  await check.getByText("canary", { exact: true }).first().waitFor();
  await page.keyboard.press("Escape");
  await page.waitForURL((address) => !address.searchParams.has("check"));

  await page.getByRole("button", { name: /^Up.*agent-factory/ }).click();
  const worker = page.getByTestId("worker-health");
  await worker.getByText("ORCHESTRATOR_PATCH").first().waitFor();
  await worker.getByText("Checked in 1 attempt").waitFor();
  await page.keyboard.press("Escape");

  await page.getByRole("tab", { name: "Checks" }).click();
  await page.getByText(`${WORKERS} of ${WORKERS}`).first().waitFor();
  expect(faults).toEqual([]);
  await context.close();
});

test("a schedule is made, switched off and taken away; its name is text", async () => {
  const { page, context } = await visit(browser, url);
  await signIn(page, token, "/health?tab=schedules");
  const name = `<img src=x onerror="document.title='taken'">`;
  await page.getByRole("button", { name: "New schedule" }).click();
  await page.getByLabel("Name").fill(name);
  await page.getByRole("button", { name: "Make it" }).click();
  const row = page.getByRole("listitem").filter({ hasText: name });
  await row.waitFor();
  await row.getByRole("checkbox").click();
  await row.getByText("off").waitFor();
  await row.getByRole("button", { name: `Remove ${name}` }).click();
  await page.getByRole("button", { name: "Remove", exact: true }).click();
  await row.waitFor({ state: "detached" });
  expect(await page.title()).not.toContain("taken");
  await context.close();
});
