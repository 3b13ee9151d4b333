/** Diffs of about a size made to cost as much as they can, and the file `a` they are of. */
export interface Hostile {
  file: string;
  diff: string;
}

const names = "--- a/a\n+++ b/a\n";
const many = (line: string, bytes: number) => line.repeat(Math.floor(bytes / line.length));
const hunks = (count: number, at: (i: number) => number, body: string) =>
  Array.from({ length: count }, (_, i) => `@@ -${at(i)},3 +${at(i)},3 @@\n${body}`).join("");
const numbered = (count: number): string => Array.from({ length: count }, (_, i) => `${i}\n`).join("");

/** By name, each of `size` bytes or about. */
export const HOSTILE: Readonly<Record<string, (size: number) => Hostile>> = {
  "one line": (size) => ({ file: "x\n", diff: `${names}@@ -1 +1 @@\n-x\n+${"y".repeat(size)}\n` }),
  "a header without end": (size) => ({ file: "x\n", diff: `${names}@@ -1 +1 @@${many(" @@", size)}\n-x\n+y\n` }),
  "a name without end": (size) => ({ file: "x\n", diff: `--- ${many("a/", size)}\n+++ b/a\n@@ -1 +1 @@\n-x\n+y\n` }),
  "escapes without end": (size) => ({ file: "x\n", diff: `--- "${many("\\141", size)}\n+++ b/a\n` }),
  "spaces in the git line": (size) => ({ file: "x\n", diff: `diff --git ${many("a ", size)}\n` }),
  "digits without end": (size) => ({ file: "x\n", diff: `${names}@@ -${"1".repeat(size)} +1 @@\n` }),
  "files without end": (size) => ({ file: "x\n", diff: many("--- a/a\n+++ b/a\n@@ -1 +1 @@\n-x\n+y\n", size) }),
  "other files without end": (size) => ({
    file: "x\n",
    diff: Array.from({ length: size / 40 }, (_, i) => `--- a/${i}\n+++ b/${i}\n@@ -0,0 +1 @@\n+y\n`).join(""),
  }),
  "half a match everywhere": (size) => ({
    file: many("a\n", size),
    diff: `${names}@@ -9,${size / 4 + 1} +9,${size / 4 + 1} @@\n${many(" a\n", (size / 4) * 3)}-b\n+c\n`,
  }),
  "a match everywhere but where it says": (size) => ({
    file: many("a\n", size),
    diff: `${names}@@ -${size / 2 - size / 8},${size / 4} +1,${size / 4 + 1} @@\n${many(" a\n", (size / 4 - 1) * 3)}-a\n+b\n+c\n`,
  }),
  "hunks that all have moved": (size) => ({
    file: `first\n${numbered((size / 50) * 3)}`,
    diff:
      names +
      Array.from(
        { length: size / 50 },
        (_, i) => `@@ -${3 * i + 1},3 +${3 * i + 1},3 @@\n ${3 * i}\n-${3 * i + 1}\n+x\n ${3 * i + 2}\n`,
      ).join(""),
  }),
  "hunks that stand in many places": (size) => ({
    file: many("a\n", size),
    diff: names + hunks(Math.floor(size / 32), (i) => 600_000 + 3 * i, " a\n-a\n+b\n a\n"),
  }),
  "hunks without context": (size) => ({
    file: many("a\n", size),
    diff: names + Array.from({ length: size / 28 }, (_, i) => `@@ -${2 * i + 1} +${2 * i + 1} @@\n-a\n+b\n`).join(""),
  }),
  "every other line replaced": (size) => ({
    file: many("a\n", size / 4),
    diff: `${names}@@ -1,${size / 8} +1,${size / 8} @@\n${many(" a\n-a\n+b\n", (size / 16) * 9)}`,
  }),
  "lines added without end": (size) => ({
    file: "x\n",
    diff: `${names}@@ -1 +1,${size / 2 + 1} @@\n x\n${many("+\n", size)}`,
  }),
  "lines removed without end": (size) => ({
    file: many("\n", size / 2),
    diff: `${names}@@ -1,${size / 2} +0,0 @@\n${many("-\n", size)}`,
  }),
  "a new file of empty lines": (size) => ({
    file: "x\n",
    diff: `--- /dev/null\n+++ b/b\n@@ -0,0 +1,${size / 2} @@\n${many("+\n", size)}`,
  }),
  "brackets and fences": (size) => ({ file: "x\n", diff: many("@@ -1 +1 @@\n", size) }),
  "blank lines": (size) => ({ file: "x\n", diff: many("\n", size) }),
  "no-newline marks": (size) => ({
    file: "x\n",
    diff: `${names}@@ -1 +1 @@\n-x\n${many("\\ No newline at end of file\n", size)}`,
  }),
  "as many changes as may be": (size) => ({
    file: many("a\n", 100_000),
    diff: `${names}@@ -1,50000 +1,50000 @@\n${" a\n-a\n+b\n".repeat(25_000)}`.padEnd(size, "\n"),
  }),
  "as many hunks as may be": (size) => ({
    file: many("a\n", 100_000),
    diff: (
      names +
      hunks(0, Number, "") +
      Array.from({ length: 25_000 }, (_, i) => `@@ -${2 * i + 1} +${2 * i + 1} @@\n-a\n+b\n`).join("")
    ).padEnd(size, "\n"),
  }),
  "as many files as may be": (size) => ({
    file: "x\n",
    diff: Array.from({ length: 5_000 }, (_, i) => `--- /dev/null\n+++ b/${i}\n@@ -0,0 +1 @@\n+y\n`)
      .join("")
      .padEnd(size, "\n"),
  }),
};
