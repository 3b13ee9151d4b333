// node shots.tmp.mjs base token name path [width] [theme] [waitMs] [selector to click]
import { chromium } from "playwright-core";
const [base, token, ...specs] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
for (const spec of specs) {
  const [name, path, width = "1440", theme = "dark", click] = spec.split("|");
  const w = Number(width);
  const context = await browser.newContext({ viewport: { width: w, height: w < 600 ? 844 : 900 }, deviceScaleFactor: 1, colorScheme: theme, hasTouch: w < 600, ...(token ? { extraHTTPHeaders: { authorization: `Bearer ${token}` } } : {}) });
  const page = await context.newPage();
  page.on("console", (m) => { if (["error", "warning"].includes(m.type())) console.log(name, m.type(), m.text().slice(0, 300)); });
  page.on("pageerror", (e) => console.log(name, "PAGEERROR", e.message.slice(0, 500)));
  if (process.env.STUB) await page.route("**/api/auth/session", (r) => r.fulfill({ json: { ok: true, who: { actor: "token:bootstrap", via: "session", scopes: ["admin"], workspaceId: null, expiresAt: null, requesters: null, session: null } } }));
  if (process.env.LOGIN) {
    await page.goto(base + "/sign-in"); await page.getByLabel("API token").fill(process.env.LOGIN); await page.getByRole("button", { name: "Sign in" }).click(); await page.waitForURL((u) => u.pathname === "/");
  }
  await page.goto(base + path);
  await page.waitForTimeout(1800);
  if (click) { for (const c of click.split(">>>")) { await page.locator(c).first().click(); await page.waitForTimeout(900); } }
  await page.screenshot({ path: `/tmp/shots/${name}.png` });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (overflow > 0) console.log(name, "OVERFLOW", overflow);
  await context.close();
}
await browser.close();
