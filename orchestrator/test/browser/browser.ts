import { existsSync } from "node:fs";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

/** Where Debian and others put it; CHROMIUM_PATH names another. */
const PLACES = [
  process.env.CHROMIUM_PATH ?? "",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
];

export function launch(): Promise<Browser> {
  const executablePath = PLACES.find((place) => place !== "" && existsSync(place));
  if (executablePath === undefined) throw new Error("there is no chromium; `pnpm test:browser` installs one");
  // Containers have no user namespaces for its sandbox, and little shared memory.
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
}

export interface Visit {
  width?: number;
  theme?: "light" | "dark";
}

/** A browser of its own: no cookie, nothing kept. Everything that goes wrong in a page ends up in `faults`. */
export async function visit(
  browser: Browser,
  url: string,
  { width = 1440, theme = "light" }: Visit = {},
): Promise<{ context: BrowserContext; page: Page; faults: string[] }> {
  const context = await browser.newContext({
    baseURL: url,
    viewport: { width, height: width < 600 ? 844 : 900 },
    colorScheme: theme,
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(`threw: ${error.message}`));
  page.on("console", (message) => {
    // Nobody is signed in yet when a page first asks who is there; the browser writes the answer down as an error.
    const asked = message.location().url.endsWith("/api/auth/session") && message.text().includes("401");
    if (message.type() === "error" && !asked) faults.push(`console: ${message.text()} ${message.location().url}`);
  });
  return { context, page, faults };
}

/** Signs in through the form, as a person does. */
export async function signIn(page: Page, token: string, next = "/"): Promise<void> {
  await page.goto(next);
  await page.getByLabel("API token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL((address) => address.pathname + address.search === next);
}

/** The connection as the top bar states it. */
export const connected = (page: Page): Promise<void> => page.locator('[data-connection="open"]').waitFor();

/** Once nothing of the page is being read any more. */
export const read = (page: Page): Promise<unknown> =>
  page.waitForFunction(
    () => document.querySelector("main") !== null && document.querySelector('[aria-label="Loading"]') === null,
  );

/** The row of a patch in a list. */
export const rowOf = (page: Page, patchId: string) => page.locator(`[data-patch="${patchId}"]`);
