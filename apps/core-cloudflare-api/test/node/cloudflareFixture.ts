import { startCloudflareServer } from "@shared/testing";
import type { TestProject } from "vitest/node";

/** Runs once, in node, beside the tests in workerd. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startCloudflareServer();
  project.provide("cloudflare", { url: server.url, account: server.account, token: server.token });
  return () => server.stop();
}
