import { startCloudflareServer, startJulesServer, startModelServer } from "@shared/testing";
import type { TestProject } from "vitest/node";

/** Runs once, in node, beside the tests in workerd: the providers' services, scripted by a key for each test. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [model, jules, cloudflare] = await Promise.all([
    startModelServer(),
    startJulesServer(),
    startCloudflareServer(),
  ]);
  project.provide("providers", { model: model.url, jules: jules.url });
  project.provide("cloudflare", { url: cloudflare.url, account: cloudflare.account, token: cloudflare.token });
  return async () => {
    await Promise.all([model.stop(), jules.stop(), cloudflare.stop()]);
  };
}
