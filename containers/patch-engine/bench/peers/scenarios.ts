import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync, chmodSync } from "node:fs";
import { join } from "node:path";
import type { Change, Peer } from "./peer.ts";

/** One question put to every editor; `ask` prepares the directory, lets it act, and looks at what it left. */
export interface Scenario {
  question: string;
  ask: (peer: Peer, directory: string) => Promise<boolean>;
}

const write = (directory: string, name: string, text: string): void => writeFileSync(join(directory, name), text);
const read = (directory: string, name: string): string => readFileSync(join(directory, name), "utf8");

/** A change of one line with one line of context on each side, in every format. */
function oneLine(file: string, line: number, around: [string, string, string], to: string, expectText = true): Change {
  const [above, from, below] = around;
  const body = ` ${above}\n-${from}\n+${to}\n ${below}\n`;
  return {
    diff: `--- a/${file}\n+++ b/${file}\n@@ -${line - 1},3 +${line - 1},3 @@\n${body}`,
    envelope: `*** Begin Patch\n*** Update File: ${file}\n@@\n${body}*** End Patch\n`,
    batch: {
      patches: [
        { op: "replace-block", file, start: line, end: line, block: to, ...(expectText && { expect: { text: from } }) },
      ],
    },
  };
}

const joined = (...changes: Change[]): Change => ({
  diff: changes.map(({ diff }) => diff).join(""),
  envelope: `*** Begin Patch\n${changes.map(({ envelope }) => envelope.split("\n").slice(1, -2).join("\n")).join("\n")}\n*** End Patch\n`,
  batch: { patches: changes.flatMap(({ batch }) => batch.patches) },
});

const hashOf = (entry: unknown, key: string): unknown =>
  typeof entry === "object" && entry !== null ? Object.entries(entry).find(([name]) => name === key)?.[1] : undefined;

const NUMBERS = "one\ntwo\nthree\nfour\nfive\n";

export const SCENARIOS: readonly Scenario[] = [
  {
    question: "Two files, the second change does not fit: is the first left as it was?",
    ask: async (peer, directory) => {
      write(directory, "a.txt", NUMBERS);
      write(directory, "b.txt", NUMBERS);
      const applied = await peer.apply(
        directory,
        joined(oneLine("a.txt", 2, ["one", "two", "three"], "TWO"), oneLine("b.txt", 2, ["x", "y", "z"], "Y")),
      );
      return !applied && read(directory, "a.txt") === NUMBERS;
    },
  },
  {
    question: "The text moved and stands once: is it followed?",
    ask: async (peer, directory) => {
      write(directory, "a.txt", `new\nlines\nabove\n${NUMBERS}`);
      const applied = await peer.apply(directory, oneLine("a.txt", 3, ["two", "three", "four"], "THREE"));
      return applied && read(directory, "a.txt") === `new\nlines\nabove\n${NUMBERS.replace("three", "THREE")}`;
    },
  },
  {
    question: "The text moved and stands three times: is it refused rather than guessed?",
    ask: async (peer, directory) => {
      const block = "{\n  return 1;\n}\n";
      const above = Array.from({ length: 20 }, (_, at) => `// line ${at}\n`).join("");
      const before = `${above}${block}// between\n${block}// between\n${block}${above}`;
      write(directory, "a.txt", before);
      const applied = await peer.apply(directory, oneLine("a.txt", 17, ["{", "  return 1;", "}"], "  return 2;"));
      return !applied && read(directory, "a.txt") === before;
    },
  },
  {
    question: "A change written with LF, a file with CRLF: is it applied, and every ending kept?",
    ask: async (peer, directory) => {
      write(directory, "a.txt", NUMBERS.replaceAll("\n", "\r\n"));
      const applied = await peer.apply(directory, oneLine("a.txt", 2, ["one", "two", "three"], "TWO"));
      return applied && read(directory, "a.txt") === NUMBERS.replace("two", "TWO").replaceAll("\n", "\r\n");
    },
  },
  {
    question: "A file that no newline ends, changed elsewhere: does it stay so?",
    ask: async (peer, directory) => {
      const before = `${NUMBERS}six\nseven`;
      write(directory, "a.txt", before);
      const applied = await peer.apply(directory, oneLine("a.txt", 2, ["one", "two", "three"], "TWO"));
      return applied && read(directory, "a.txt") === before.replace("two", "TWO");
    },
  },
  {
    question: "Is a byte order mark kept, and line 1 found behind it?",
    ask: async (peer, directory) => {
      write(directory, "a.txt", `\uFEFF${NUMBERS}`);
      const change = {
        diff: "--- a/a.txt\n+++ b/a.txt\n@@ -1,2 +1,2 @@\n-one\n+ONE\n two\n",
        envelope: "*** Begin Patch\n*** Update File: a.txt\n@@\n-one\n+ONE\n two\n*** End Patch\n",
        batch: {
          patches: [
            { op: "replace-block" as const, file: "a.txt", start: 1, end: 1, block: "ONE", expect: { text: "one" } },
          ],
        },
      };
      return (
        (await peer.apply(directory, change)) && read(directory, "a.txt") === `\uFEFF${NUMBERS.replace("one", "ONE")}`
      );
    },
  },
  {
    question: "Is the executable bit kept?",
    ask: async (peer, directory) => {
      write(directory, "a.sh", NUMBERS);
      chmodSync(join(directory, "a.sh"), 0o755);
      const applied = await peer.apply(directory, oneLine("a.sh", 2, ["one", "two", "three"], "TWO"));
      return applied && (statSync(join(directory, "a.sh")).mode & 0o111) !== 0;
    },
  },
  {
    question: "A file behind a symlinked directory that leads out of the tree: is it left alone?",
    ask: async (peer, directory) => {
      const tree = join(directory, "tree");
      mkdirSync(tree);
      mkdirSync(join(directory, "outside"));
      write(directory, "outside/a.txt", NUMBERS);
      symlinkSync("../outside", join(tree, "link"));
      const applied = await peer.apply(tree, oneLine("link/a.txt", 2, ["one", "two", "three"], "TWO"));
      return !applied && read(directory, "outside/a.txt") === NUMBERS;
    },
  },
  {
    question: "A path with `..` out of the tree: is it left alone?",
    ask: async (peer, directory) => {
      const tree = join(directory, "tree");
      mkdirSync(tree);
      write(directory, "a.txt", NUMBERS);
      const applied = await peer.apply(tree, oneLine("../a.txt", 2, ["one", "two", "three"], "TWO"));
      return !applied && read(directory, "a.txt") === NUMBERS;
    },
  },
  {
    question: "An edit that breaks the syntax: is it refused?",
    ask: async (peer, directory) => {
      const before = "const a = 1;\nconst b = 2;\nconst c = 3;\n";
      write(directory, "a.ts", before);
      const applied = await peer.apply(
        directory,
        oneLine("a.ts", 2, ["const a = 1;", "const b = 2;", "const c = 3;"], "const b = (2;"),
      );
      return !applied && read(directory, "a.ts") === before;
    },
  },
  {
    question: "The same change sent again, where its text fits again: does it take effect once?",
    ask: async (peer, directory) => {
      write(directory, "a.txt", "x\nx\nx\nx\nx\nx\n");
      const change: Change = {
        diff: "--- a/a.txt\n+++ b/a.txt\n@@ -2,3 +2,4 @@\n x\n+y\n x\n x\n",
        envelope: "*** Begin Patch\n*** Update File: a.txt\n@@\n x\n+y\n x\n x\n*** End Patch\n",
        batch: { batchId: "once", patches: [{ op: "insert-after", file: "a.txt", line: 2, block: "y" }] },
      };
      await peer.apply(directory, change);
      await peer.apply(directory, change);
      return (
        read(directory, "a.txt")
          .split("\n")
          .filter((line) => line === "y").length === 1
      );
    },
  },
  {
    question: "Is there a record of what was done, that the next change is tied to?",
    ask: async (peer, directory) => {
      write(directory, "a.txt", NUMBERS);
      await peer.apply(directory, oneLine("a.txt", 2, ["one", "two", "three"], "TWO"));
      await peer.apply(directory, oneLine("a.txt", 4, ["three", "four", "five"], "FOUR"));
      const log = join(directory, ".mission_control/log.jsonl");
      if (!existsSync(log)) return false;
      const [first, second] = readFileSync(log, "utf8")
        .trim()
        .split("\n")
        .map((line): unknown => JSON.parse(line));
      return hashOf(first, "hash") !== undefined && hashOf(first, "hash") === hashOf(second, "prevHash");
    },
  },
];
