import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connected, launch, rowOf, signIn, visit } from "./browser.ts";
import { createFile, placeOrder } from "./orders.ts";
import { type Stack, startStack } from "./stack.ts";

let browser: Browser;
let stack: Stack;
beforeAll(async () => {
  [browser, stack] = [await launch(), await startStack()];
});
afterAll(async () => {
  await browser.close();
  await stack.remove();
});

test("after the orchestrator restarts the page goes on by itself: nothing missed, nothing twice, still signed in", async () => {
  const { client, url, token } = stack;
  await placeOrder(client, "ORD-AGAIN");
  const { page, context } = await visit(browser, url);
  await signIn(page, token, "/live?order=ORD-AGAIN");
  await connected(page);
  const write = (patchId: string) => createFile(client, { orderId: "ORD-AGAIN", patchId, file: `src/${patchId}.ts` });

  for (const patchId of ["again-1", "again-2"]) await write(patchId);
  await rowOf(page, "again-2").waitFor();

  await stack.stop();
  await page.locator('[data-connection="waiting"]').waitFor();
  await page.getByText("Reconnecting.").waitFor();
  await stack.start();
  // Before the page is back, and after.
  for (const patchId of ["again-3", "again-4", "again-5"]) await write(patchId);
  await page.locator('[data-connection="open"]').waitFor({ timeout: 60_000 });
  await write("again-6");

  const all = ["again-1", "again-2", "again-3", "again-4", "again-5", "again-6"];
  for (const patchId of all) await page.locator(`[data-patch="${patchId}"][data-status="patch_applied"]`).waitFor();
  const shown = await page
    .locator("[data-patch]")
    .evaluateAll((rows) => rows.map((row) => row.getAttribute("data-patch")));
  expect(shown).toEqual(all.toReversed());
  await context.close();
});
