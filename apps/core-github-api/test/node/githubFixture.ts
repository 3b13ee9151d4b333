import { startGithubServer } from "@shared/testing";
import type { TestProject } from "vitest/node";

/** Runs once, in node, beside the tests in workerd: a local GitHub, and another whose clock is moved. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [server, moving] = await Promise.all([startGithubServer(), startGithubServer()]);
  project.provide("github", server.url);
  project.provide("movingGithub", moving.url);
  return async () => {
    await Promise.all([server.stop(), moving.stop()]);
  };
}
