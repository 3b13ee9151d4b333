import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { launch, signIn, visit } from "./browser.ts";

const { url, token } = inject("stack");
let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

test("a page asks who is there, and goes on where one was going; the token is kept nowhere in the browser", async () => {
  const { page, context } = await visit(browser, url);
  await page.goto("/orders?status=delivered");
  await page.waitForURL("**/sign-in?*");
  await page.getByLabel("API token").fill("not-a-token");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("This token is not known here").waitFor();
  await page.getByLabel("API token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL("**/orders?status=delivered");
  await page.getByText("ORD-SAMPLE").first().waitFor();
  const kept = await page.evaluate(() =>
    JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage), document.cookie]),
  );
  expect(kept).not.toContain(token);
  const cookies = await context.cookies();
  expect(cookies).toHaveLength(1);
  expect(cookies[0]).toMatchObject({ httpOnly: true, sameSite: "Strict" });
  expect(cookies[0]?.value).not.toContain(token);
  await context.close();
});

test("signing out ends the session: the page asks again, also for what was open", async () => {
  const { page, context } = await visit(browser, url);
  await signIn(page, token);
  await page.getByRole("button", { name: "Your session" }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.waitForURL("**/sign-in*");
  await page.goto("/live");
  await page.waitForURL("**/sign-in?*");
  await context.close();
});

test("a sign-in link leads nowhere but into Mission Control", async () => {
  const { page, context } = await visit(browser, url);
  await page.goto(`/sign-in?next=${encodeURIComponent("//elsewhere.example/")}`);
  await page.getByLabel("API token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(`${url.replace(/\/$/, "")}/`);
  await context.close();
});

test("a token is made, shown once, used, and revoked; a session of another browser is ended", async () => {
  const { page, context } = await visit(browser, url);
  await signIn(page, token, "/settings");
  await page.getByRole("button", { name: "New token" }).click();
  await page.getByLabel("Name").fill("from the browser");
  await page.getByRole("button", { name: "Make token" }).click();
  const made = (await page.getByTestId("new-token").textContent()) ?? "";
  await page.getByRole("button", { name: "Done" }).click();
  const read = () =>
    fetch(`${url}/api/orders`, { headers: { authorization: `Bearer ${made}` } }).then(({ status }) => status);
  expect(await read()).toBe(200);

  const other = await visit(browser, url);
  await signIn(other.page, made, "/orders");
  await page.getByText("from the browser").waitFor();
  await page.getByRole("button", { name: "Revoke" }).click();
  await page.getByRole("button", { name: "Revoke for good" }).click();
  await page.getByText("Revoked", { exact: true }).waitFor();
  // The other browser's session began with that token.
  await other.page.waitForURL("**/sign-in*");
  await expect.poll(read).toBe(401);
  await other.context.close();
  await context.close();
});
