import { describe, expect, test } from "vitest";
import { PatchBatchSchema } from "@shared/contracts";
import { planBatch, type PlanResult } from "../../core/index.ts";
import { snapshots } from "./arbitraries.ts";

const plan = (files: Record<string, string>, diff: string): PlanResult =>
  planBatch(PatchBatchSchema.parse({ patches: [{ op: "apply-diff", diff }] }), snapshots(files), {
    mintPatchId: (index) => `p${index + 1}`,
  });

const names = "--- a/a\n+++ b/a\n";
const head = "diff --git a/a b/a\n";

describe("a diff that is not one", () => {
  test.each<[what: string, diff: string, line: number, why: RegExp]>([
    ["prose", "Please change a\n", 1, /expected `diff --git` or `---`/],
    ["nothing but blank lines", "\n\n", 3, /without naming a file/],
    ["a name without the other", "--- a/a\n@@ -1 +1 @@\n-x\n+y\n", 1, /expected/],
    ["names without hunks", names, 3, /expected a hunk/],
    ["a hunk without names", "@@ -1 +1 @@\n-x\n+y\n", 1, /without the file/],
    ["a header without numbers", `${names}@@ ... @@\n-x\n+y\n`, 3, /expected `@@ -line/],
    ["a header without its end", `${names}@@ -1 +1\n-x\n+y\n`, 3, /expected `@@ -line/],
    ["a header with a number too long", `${names}@@ -9999999999 +1 @@\n-x\n+y\n`, 3, /expected `@@ -line/],
    ["line 0", `${names}@@ -0,1 +1 @@\n-x\n+y\n`, 3, /counted from 1/],
    [
      "too few lines",
      `${names}@@ -1,2 +1,2 @@\n-x\n+y\n`,
      6,
      /the hunk at line 3 says 2 old and 2 new lines, and has 1 and 1/,
    ],
    ["too many lines", `${names}@@ -1 +1 @@\n-x\n+y\n+z\n`, 6, /more lines than its header says/],
    ["one old line too many", `${names}@@ -1 +1,2 @@\n-x\n-y\n+z\n+w\n`, 5, /one more/],
    ["a line without a mark", `${names}@@ -1,2 +1,2 @@\nx\n-y\n+z\n`, 4, /has 0 and 0/],
    ["prose after it", `${names}@@ -1 +1 @@\n-x\n+y\nDone.\n`, 6, /expected a hunk or the next file/],
    ["a hunk that changes nothing", `${names}@@ -1 +1 @@\n x\n`, 3, /changes nothing/],
    ["hunks out of order", `${names}@@ -5 +5 @@\n-x\n+y\n@@ -1 +1 @@\n-x\n+y\n`, 6, /before the one above ends/],
    [
      "a last line that is not",
      `${names}@@ -1,2 +1,2 @@\n-x\n\\ No newline at end of file\n+y\n z\n`,
      5,
      /only the last line/,
    ],
    ["a mark of no line", `${names}@@ -1 +1 @@\n\\ No newline at end of file\n-x\n+y\n`, 4, /only the last line/],
    ["two files' names", "--- a/a\n+++ b/c\n@@ -1 +1 @@\n-x\n+y\n", 1, /two files/],
    ["names that are not the file's", `${head}--- a/q\n+++ b/q\n@@ -1 +1 @@\n-x\n+y\n`, 1, /not those/],
    ["a quote without its end", '--- "a/a\n+++ b/a\n@@ -1 +1 @@\n-x\n+y\n', 1, /not quoted/],
    ["an escape that is none", '--- "a/\\q"\n+++ b/a\n@@ -1 +1 @@\n-x\n+y\n', 1, /not quoted/],
    ["octals that are not UTF-8", '--- "a/\\377"\n+++ "b/\\377"\n@@ -1 +1 @@\n-x\n+y\n', 1, /not quoted/],
    ["nothing that changes", `${head}index 1234567..89abcde 100644\n`, 3, /expected what changes/],
    [
      "a new file with old lines",
      `${head}new file mode 100644\n--- /dev/null\n+++ b/a\n@@ -1 +1 @@\n-x\n+y\n`,
      5,
      /one hunk of added lines/,
    ],
    [
      "a new file with an old name",
      `${head}new file mode 100644\n${names}@@ -0,0 +1 @@\n+y\n`,
      1,
      /old name of a new file/,
    ],
    [
      "a deleted file that keeps lines",
      `${head}deleted file mode 100644\n--- a/a\n+++ /dev/null\n@@ -1,2 +1 @@\n x\n-y\n`,
      5,
      /one hunk of removed lines/,
    ],
    ["a rename without its target", `${head}rename from a\n`, 1, /come together/],
    ["a rename to itself", `${head}rename from a\nrename to a\n`, 1, /two names/],
    ["both renamed and copied", `${head}rename from a\ncopy to b\n`, 3, /either renamed or copied/],
    ["a mode that is none", `${head}old mode 100600\nnew mode 100755\n`, 2, /100644 or 100755/],
    ["a mode without the one before", `${head}new mode 100755\n`, 1, /come together/],
    ["made and removed at once", `${head}new file mode 100644\ndeleted file mode 100644\n`, 1, /at the same time/],
    ["a merge's diff", `${head}--- a/a\n+++ b/a\n@@@ -1,1 -1,1 +1,1 @@@\n- x\n++y\n`, 4, /expected `@@ -line/],
    ["both names /dev/null", "--- /dev/null\n+++ /dev/null\n@@ -0,0 +1 @@\n+x\n", 1, /at the same time/],
  ])("is refused with its line: %s", (_what, diff, line, why) => {
    const result = plan({ a: "x\n" }, diff);
    expect(result).toMatchObject({
      ok: false,
      error: { code: "DIFF_INVALID", nothingWritten: true, findings: [{ line }] },
    });
    expect(result.ok ? "" : result.error.message).toMatch(why);
  });

  test.each([
    ["in words", `${head}index 1234567..89abcde 100644\nBinary files a/a and b/a differ\n`, "DIFF_BINARY"],
    ["as git packs it", `${head}index 1234567..89abcde 100644\nGIT binary patch\nliteral 1\nIcx\n`, "DIFF_BINARY"],
    ["in plain words", "Binary files old/a and new/a differ\n", "DIFF_BINARY"],
    [
      "as a symbolic link",
      `${head}new file mode 120000\n--- /dev/null\n+++ b/a\n@@ -0,0 +1 @@\n+/etc\n`,
      "NOT_A_REGULAR_FILE",
    ],
    ["as a submodule", `${head}index 1234567..89abcde 160000\n${names}@@ -1 +1 @@\n-x\n+y\n`, "NOT_A_REGULAR_FILE"],
  ])("is refused for what is not text: %s", (_what, diff, code) => {
    expect(plan({ a: "x\n" }, diff)).toMatchObject({ ok: false, error: { code } });
  });

  test.each(["../../etc/passwd", "/etc/passwd", ".git/config", "a/../../b", ".mission_control/log.jsonl", "C:/x"])(
    "leads nowhere outside: %s",
    (path) => {
      for (const diff of [
        `diff --git a/${path} b/${path}\nnew file mode 100644\n--- /dev/null\n+++ b/${path}\n@@ -0,0 +1 @@\n+x\n`,
        `diff --git a/a b/x\nsimilarity index 100%\nrename from a\nrename to ${path}\n`,
        `diff --git a/a b/x\nsimilarity index 100%\ncopy from ${path}\ncopy to x\n`,
      ]) {
        const result = plan({ a: "x\n" }, diff);
        expect(result.ok ? "applied" : result.error.code).toMatch(/^PATH_(?:INVALID|FORBIDDEN)$/);
      }
    },
  );
});

describe("a hostile diff of a megabyte is answered in linear time", () => {
  const MB = 1 << 20;
  const many = (line: string, bytes = MB) => line.repeat(Math.floor(bytes / line.length));
  const hunks = (count: number, at: (i: number) => number, body: string) =>
    Array.from({ length: count }, (_, i) => `@@ -${at(i)},3 +${at(i)},3 @@\n${body}`).join("");
  const same = many("a\n");

  test.each<[what: string, file: string, diff: string]>([
    ["one line", "x\n", `${names}@@ -1 +1 @@\n-x\n+${"y".repeat(MB)}\n`],
    ["a header without end", "x\n", `${names}@@ -1 +1 @@${" @@".repeat(MB / 3)}\n-x\n+y\n`],
    ["a name without end", "x\n", `--- ${"a/".repeat(MB / 2)}\n+++ b/a\n@@ -1 +1 @@\n-x\n+y\n`],
    ["escapes without end", "x\n", `--- "${"\\141".repeat(MB / 4)}\n+++ b/a\n`],
    ["spaces in the git line", "x\n", `diff --git ${"a ".repeat(MB / 2)}\n`],
    ["digits without end", "x\n", `${names}@@ -${"1".repeat(MB)} +1 @@\n`],
    ["files without end", "x\n", many("--- a/a\n+++ b/a\n@@ -1 +1 @@\n-x\n+y\n")],
    ["half a match everywhere", same, `${names}@@ -9,250001 +9,250001 @@\n${" a\n".repeat(250_000)}-b\n+c\n`],
    [
      "a match everywhere but where it says",
      same,
      `${names}@@ -400000,200000 +1,200001 @@\n${" a\n".repeat(199_999)}-a\n+b\n+c\n`,
    ],
    [
      "hunks that all have moved",
      `first\n${Array.from({ length: 60_000 }, (_, i) => `${i}\n`).join("")}`,
      names +
        Array.from(
          { length: 20_000 },
          (_, i) => `@@ -${3 * i + 1},3 +${3 * i + 1},3 @@\n ${3 * i}\n-${3 * i + 1}\n+x\n ${3 * i + 2}\n`,
        ).join(""),
    ],
    ["hunks that stand in many places", same, names + hunks(40_000, (i) => 600_000 + 3 * i, " a\n-a\n+b\n a\n")],
    ["brackets and fences", "x\n", many("@@ -1 +1 @@\n")],
    ["blank lines", "x\n", many("\n")],
    ["no-newline marks", "x\n", `${names}@@ -1 +1 @@\n-x\n${many("\\ No newline at end of file\n")}`],
  ])("%s", (_what, file, diff) => {
    // A bound on work rather than on time would need counters in the code; this one is far from what it takes.
    const started = process.cpuUsage();
    const result = plan({ a: file }, diff);
    const { user, system } = process.cpuUsage(started);
    expect(typeof result.ok).toBe("boolean");
    expect((user + system) / 1000).toBeLessThan(3_000);
  });
});
