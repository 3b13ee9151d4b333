import { createClient } from "@shared/client";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { connected, launch, rowOf, signIn, visit } from "./browser.ts";
import { createFile, placeOrder } from "./orders.ts";

const { url, token } = inject("stack");
const client = createClient({ url, token });
let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

test("a batch is seen within a second of its answer, its diff opened, it is reverted, and the revert is seen", async () => {
  await placeOrder(client, "ORD-LIVE");
  const { page, context, faults } = await visit(browser, url);
  await signIn(page, token, "/live?order=ORD-LIVE");
  await connected(page);

  const row = rowOf(page, "live-1");
  const seen = row.waitFor().then(() => performance.now());
  await createFile(client, {
    orderId: "ORD-LIVE",
    patchId: "live-1",
    file: "src/seen.ts",
    block: "export const seen = 1;\n",
  });
  const answered = performance.now();
  expect((await seen) - answered).toBeLessThan(1_000);

  await row.click();
  const diff = page.getByTestId("diff");
  await diff.getByText("export const seen = 1;").waitFor();
  await page.getByRole("radio", { name: "Split" }).click();
  await expect.poll(() => new URL(page.url()).searchParams.get("view")).toBe("split");

  await page.getByRole("button", { name: "Revert", exact: true }).click();
  const dialog = page.getByRole("alertdialog");
  await dialog.getByLabel("Reason, for the record").fill("seen enough");
  await dialog.getByRole("button", { name: "Revert patch" }).click();
  await page.locator('[data-patch="live-1"][data-status="patch_reverted"]').waitFor();
  await page.getByRole("region", { name: "Patch", exact: true }).getByText("Reverted").first().waitFor();
  const tree = await client.patches.get("live-1");
  expect(tree.ok && tree.events.at(-1)?.event_type).toBe("patch_reverted");
  expect(faults).toEqual([]);
  await context.close();
});

test("history and stream are one list: what was there before and what comes after, each patch once", async () => {
  await placeOrder(client, "ORD-MERGE");
  const before = ["merge-1", "merge-2", "merge-3"];
  for (const patchId of before) await createFile(client, { orderId: "ORD-MERGE", patchId, file: `src/${patchId}.ts` });
  const { page, context, faults } = await visit(browser, url);
  await signIn(page, token, "/live?order=ORD-MERGE");
  // Some while the page is still reading the log, some after.
  const after = ["merge-4", "merge-5", "merge-6"];
  for (const patchId of after) await createFile(client, { orderId: "ORD-MERGE", patchId, file: `src/${patchId}.ts` });
  for (const patchId of [...before, ...after])
    await page.locator(`[data-patch="${patchId}"][data-status="patch_applied"]`).waitFor();
  const shown = await page
    .locator("[data-patch]")
    .evaluateAll((rows) => rows.map((row) => row.getAttribute("data-patch")));
  expect(shown).toEqual([...before, ...after].toReversed());
  expect(faults).toEqual([]);
  await context.close();
});

test("what the list is narrowed to and what is open stand in the address: a reload shows the same", async () => {
  const { page, context } = await visit(browser, url);
  await signIn(page, token, "/live");
  await page.getByRole("button", { name: "Failed", exact: true }).click();
  await expect.poll(() => new URL(page.url()).searchParams.get("status")).toBe("patch_failed");
  await page.locator('[data-patch="ORD-SAMPLE.stale"]').click();
  await page.getByText("AMBIGUOUS_LOCATION").first().waitFor();
  const shown = () =>
    page.locator("[data-patch]").evaluateAll((rows) => rows.map((row) => row.getAttribute("data-status")));
  expect(new Set(await shown())).toEqual(new Set(["patch_failed"]));
  const address = page.url();
  await page.reload();
  await page.locator('[data-patch="ORD-SAMPLE.stale"][aria-current="true"]').waitFor();
  expect(page.url()).toBe(address);
  expect(new Set(await shown())).toEqual(new Set(["patch_failed"]));
  await context.close();
});

test("a paused list holds still, says how many came, and shows them when it goes on", async () => {
  await placeOrder(client, "ORD-PAUSE");
  const { page, context } = await visit(browser, url);
  await signIn(page, token, "/live?order=ORD-PAUSE");
  await connected(page);
  await createFile(client, { orderId: "ORD-PAUSE", patchId: "pause-1", file: "src/a.ts" });
  await rowOf(page, "pause-1").waitFor();
  await page.keyboard.press("p");
  await createFile(client, { orderId: "ORD-PAUSE", patchId: "pause-2", file: "src/b.ts" });
  const pill = page.getByRole("button", { name: "1 new, paused" });
  await pill.waitFor();
  expect(await rowOf(page, "pause-2").count()).toBe(0);
  await pill.click();
  await rowOf(page, "pause-2").waitFor();
  await context.close();
});
