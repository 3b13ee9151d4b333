import { defineProject } from "vitest/config";

/**
 * Mission Control in a real browser, against what `npm start` starts. Run by `pnpm test:browser`, which sees to the
 * browser; not part of `npm test`, which needs none.
 */
export default defineProject({
  test: {
    name: "browser",
    include: ["*.test.ts"],
    globalSetup: ["./sharedStack.ts"],
    // One browser at a time: what is measured is the page, not how many of them the machine bears.
    fileParallelism: false,
    testTimeout: 90_000,
    hookTimeout: 180_000,
  },
});
