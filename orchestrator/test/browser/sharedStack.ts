import type { TestProject } from "vitest/node";
import { startStack } from "./stack.ts";

declare module "vitest" {
  export interface ProvidedContext {
    stack: { url: string; token: string; data: string };
  }
}

/** One stack for the files that only look: each makes orders of its own. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stack = await startStack();
  project.provide("stack", { url: stack.url, token: stack.token, data: stack.data });
  return () => stack.remove();
}
