import { expect, test } from "vitest";
import { splitDiff } from "../lib/splitDiff.ts";

test("git's diff falls into its files, with what each is", () => {
  const diff = [
    "diff --git a/src/a.ts b/src/a.ts",
    "index 1..2 100644",
    "--- a/src/a.ts",
    "+++ b/src/a.ts",
    "@@ -1,2 +1,2 @@",
    "-one",
    "+--- two",
    " three",
    "diff --git a/old.ts b/new.ts",
    "similarity index 100%",
    "rename from old.ts",
    "rename to new.ts",
    "diff --git a/made.md b/made.md",
    "new file mode 100644",
    "--- /dev/null",
    "+++ b/made.md",
    "@@ -0,0 +1 @@",
    "+hello",
    "diff --git a/x.png b/x.png",
    "deleted file mode 100644",
    "GIT binary patch",
  ].join("\n");
  expect(splitDiff(diff)?.map(({ file, added, removed, note }) => [file, added, removed, note])).toEqual([
    ["src/a.ts", 1, 1, null],
    ["new.ts", 0, 0, "renamed"],
    ["made.md", 1, 0, "new"],
    ["x.png", 0, 0, "binary"],
  ]);
  expect(
    splitDiff(diff)
      ?.map((file) => file.diff)
      .join("\n"),
  ).toBe(diff);
});

test("a plain diff too; of any other text it says that it is none", () => {
  expect(splitDiff("--- a.ts\t2026\n+++ a.ts\t2026\n@@ -1 +1 @@\n-a\n+b\n")?.[0]).toMatchObject({
    file: "a.ts",
    added: 1,
  });
  expect(splitDiff("<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE")).toBeNull();
});
