import type { PatchOp } from "@shared/contracts";

/** One patch of each operation, and of each thing that a diff can do, for any of many files that look alike. */
export const contentOf = (at: number): string =>
  `one ${at}\ntwo ${at}\n###FINAL_MILE_PROMPT__X###\nthree ${at}\n###END_X###\nfour ${at}\n`;
export const pathOf = (at: number): string => `dir${at % 4}/file${at}.txt`;

export type Patch = { op: PatchOp } & Record<string, unknown>;
const head = (from: string, to: string): string => `diff --git a/${from} b/${to}\n`;
const all = (mark: "+" | "-", at: number): string => contentOf(at).replaceAll(/^(?=.)/gm, mark);
const movedTo = (at: number): string => `moved/by-diff/${at}.txt`;
const edited = (at: number, from = pathOf(at), to = from): string =>
  `--- a/${from}\n+++ b/${to}\n@@ -1,2 +1,2 @@\n one ${at}\n-two ${at}\n+2 ${at}\n`;

/** What a diff can do to a file, each of which moves other names and bytes. */
const DIFFS = {
  edits: (at: number) => edited(at),
  makes: (at: number) => `--- /dev/null\n+++ b/made/by-diff/${at}.txt\n@@ -0,0 +1,6 @@\n${all("+", at)}`,
  deletes: (at: number) =>
    `${head(pathOf(at), pathOf(at))}deleted file mode 100644\n--- a/${pathOf(at)}\n+++ /dev/null\n@@ -1,6 +0,0 @@\n${all("-", at)}`,
  "renames and edits": (at: number) =>
    `${head(pathOf(at), movedTo(at))}rename from ${pathOf(at)}\nrename to ${movedTo(at)}\n${edited(at, pathOf(at), movedTo(at))}`,
  "copies and edits": (at: number) =>
    `${head(pathOf(at), movedTo(at))}copy from ${pathOf(at)}\ncopy to ${movedTo(at)}\n${edited(at, pathOf(at), movedTo(at))}`,
  "sets the mode": (at: number) => `${head(pathOf(at), pathOf(at))}old mode 100644\nnew mode 100755\n`,
};
export type Kind = Exclude<PatchOp, "apply-diff"> | `apply-diff that ${keyof typeof DIFFS}`;
const diff = (does: keyof typeof DIFFS) => (_file: string, at: number) => ({
  op: "apply-diff" as const,
  diff: DIFFS[does](at),
});

export const OPERATIONS: Readonly<Record<Kind, (file: string, at: number) => Patch>> = {
  "replace-block": (file) => ({ op: "replace-block", file, start: 2, end: 2, block: "2" }),
  "insert-before": (file) => ({ op: "insert-before", file, line: 1, block: "0" }),
  "insert-after": (file) => ({ op: "insert-after", file, line: 6, block: "5" }),
  append: (file) => ({ op: "append", file, block: "end" }),
  prepend: (file) => ({ op: "prepend", file, block: "start" }),
  "apply-diff that edits": diff("edits"),
  "apply-diff that makes": diff("makes"),
  "apply-diff that deletes": diff("deletes"),
  "apply-diff that renames and edits": diff("renames and edits"),
  "apply-diff that copies and edits": diff("copies and edits"),
  "apply-diff that sets the mode": diff("sets the mode"),
  "search-replace": (file) => ({ op: "search-replace", file, search: "two", replace: "2" }),
  "create-file": (_file, at) => ({ op: "create-file", file: `new/${at}/made.txt`, block: "made\n" }),
  "delete-file": (file) => ({ op: "delete-file", file }),
  "rename-file": (file, at) => ({ op: "rename-file", file, to: `moved/${at}.txt` }),
  "replace-marker": (file) => ({ op: "replace-marker", file, marker: "X", block: "filled" }),
};
export const kinds = Object.keys(OPERATIONS) as Kind[];

/** Renames, copies, creations and deletions first, so that three files have a bit of each. */
export const MIXTURE: readonly Kind[] = [
  "apply-diff that renames and edits",
  "create-file",
  "delete-file",
  ...kinds.filter((kind) => !["apply-diff that renames and edits", "create-file", "delete-file"].includes(kind)),
];
