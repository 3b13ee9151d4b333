import { exports } from "cloudflare:workers";
import { expect, test } from "vitest";

test("tells its name", async () => {
  const response = await exports.default.fetch("http://worker/");
  expect(response.status).toBe(200);
  expect(await response.text()).toContain("core-github-api");
});
