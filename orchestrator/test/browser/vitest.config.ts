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
    testTimeout: 90_000,
    hookTimeout: 180_000,
  },
});
