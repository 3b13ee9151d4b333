import { PatchOperationSchema, type FileMarkers, type PatchOperationInput } from "@shared/contracts";
import { array, assert, constantFrom, property } from "fast-check";
import { describe, expect, test } from "vitest";
import { resolveCoordsByMarker } from "../coordResolver.ts";
import { lineChanges, changesToPatches, linesOf } from "../lineEdits.ts";
import { filesToPatches, type GeneratedFile } from "../patchBridge.ts";
import { codeReviewToPatchBatch, planStatedFix } from "../reviewToPatches.ts";

/** A workspace in memory that answers as the orchestrator does. */
const workspace = (files: Record<string, string>) => ({
  async resolveMarkers({ files: asked }: { files: string[] }) {
    const resolved = asked.map((file) => {
      const lines = linesOf(files[file] ?? "");
      const markers: FileMarkers["markers"] = lines.flatMap((line, at) => {
        const name = /###FINAL_MILE_PROMPT__([A-Z0-9_]+)###/.exec(line)?.[1];
        if (name === undefined) return [];
        const close = lines.findIndex((other, after) => after > at && other.includes(`###END_${name}###`));
        return [{ file, name, closed: close !== -1, span: { start: at + 1, end: close === -1 ? at + 1 : close + 1 } }];
      });
      const [first] = markers;
      const exists = file in files;
      const existing = first
        ? { mode: "existing" as const, span: first.span }
        : { mode: "existing" as const, insertBeforeLine: lines.length + 1 };
      return { file, exists, lines: lines.length, markers, coordinates: exists ? existing : { mode: "new" as const } };
    });
    return { ok: true as const, files: resolved };
  },
  read: async (file: string) => ({ ok: true as const, content: files[file] ?? "" }),
});

const bridge = (files: Record<string, string>, generated: Omit<GeneratedFile, "filePurpose">[]) => {
  const stands = workspace(files);
  return filesToPatches(
    { files: generated.map((file) => ({ ...file, filePurpose: "" })) },
    (file) => resolveCoordsByMarker(stands, "default", file),
    stands.read,
  );
};

const patchesOf = async (...input: Parameters<typeof bridge>): Promise<PatchOperationInput[]> => {
  const bridged = await bridge(...input);
  if (!bridged.ok) throw new Error(bridged.error.code);
  return bridged.batch.patches;
};

/** The line edits carried out on an array of lines, from the last to the first, each only where its text stands. */
function carryOut(text: string, patches: readonly PatchOperationInput[]): string[] {
  const lines = linesOf(text);
  for (const patch of patches.map((input) => PatchOperationSchema.parse(input)).toReversed()) {
    if (!("block" in patch)) throw new Error(patch.op);
    const block = linesOf(patch.block ?? "");
    if (patch.op === "replace-block") {
      expect(lines.slice(patch.start - 1, patch.end).join("\n")).toBe(patch.expect?.text);
      lines.splice(patch.start - 1, patch.end - patch.start + 1, ...block);
    } else if (patch.op === "insert-before" || patch.op === "insert-after") {
      if (patch.expect) expect(lines[patch.line - 1]).toBe(patch.expect.text);
      lines.splice(patch.op === "insert-before" ? patch.line - 1 : patch.line, 0, ...block);
    } else throw new Error(patch.op);
  }
  return lines;
}

const SOURCE = 'import { a } from "./a.ts";\n\nexport function one() {\n  return a + 1;\n}\n\nexport const two = 2;\n';

describe("a file that does not exist", () => {
  test("is created with its contents", async () => {
    expect(await patchesOf({}, [{ filePath: "new.ts", fileContents: SOURCE }])).toEqual([
      { op: "create-file", file: "new.ts", block: SOURCE },
    ]);
  });
});

describe("a file with markers", () => {
  const marked =
    "head();\n// ###FINAL_MILE_PROMPT__A###\n// hint\n// ###END_A###\nmiddle();\n// ###FINAL_MILE_PROMPT__B###\ntail();\n";

  test("takes content at its first marker, and further content at the next", async () => {
    const generated = [
      { filePath: "m.ts", fileContents: "first();\n" },
      { filePath: "m.ts", fileContents: "second();\n" },
    ];
    expect(await patchesOf({ "m.ts": marked }, generated)).toEqual([
      { op: "replace-marker", file: "m.ts", marker: "A", block: "first();\n", openSpace: true },
      { op: "replace-marker", file: "m.ts", marker: "B", block: "second();\n", openSpace: true },
    ]);
  });

  test("is addressed by lines where two markers share a name", async () => {
    const twice = "// ###FINAL_MILE_PROMPT__A###\nx();\n// ###FINAL_MILE_PROMPT__A###\n";
    expect(await patchesOf({ "m.ts": twice }, [{ filePath: "m.ts", fileContents: "y();\n" }])).toEqual([
      { op: "replace-block", file: "m.ts", start: 1, end: 1, block: "y();\n", openSpace: true },
    ]);
  });

  test("is not put into its own marker when all of it comes back filled", async () => {
    const one = "head();\n// ###FINAL_MILE_PROMPT__A###\n// ###END_A###\ntail();\n";
    const filled = "head();\nfirst();\ntail();\n";
    const patches = await patchesOf({ "m.ts": one }, [{ filePath: "m.ts", fileContents: filled }]);
    expect(carryOut(one, patches)).toEqual(linesOf(filled));
  });

  test("refuses more contents than it has markers", async () => {
    const one = "head();\n// ###FINAL_MILE_PROMPT__A###\n";
    const generated = ["x();\n", "y();\n"].map((fileContents) => ({ filePath: "m.ts", fileContents }));
    expect(await bridge({ "m.ts": one }, generated)).toMatchObject({
      ok: false,
      error: { code: "AMBIGUOUS_LOCATION" },
    });
  });
});

describe("a file that exists and has no marker", () => {
  test("is no patch when its contents stand already, whole or in part", async () => {
    for (const fileContents of [SOURCE, "export const two = 2;\n", "\nexport const two = 2;\n\n"]) {
      const bridged = await bridge({ "s.ts": SOURCE }, [{ filePath: "s.ts", fileContents }]);
      expect(bridged).toMatchObject({ ok: true, batch: { patches: [] }, unchanged: ["s.ts"] });
    }
  });

  test("is edited in the fewest lines when it comes back changed, never inserted into itself", async () => {
    const changed = SOURCE.replace("a + 1", "a + 2").concat("export const three = 3;\n");
    expect(await patchesOf({ "s.ts": SOURCE }, [{ filePath: "s.ts", fileContents: changed }])).toEqual([
      {
        op: "replace-block",
        file: "s.ts",
        start: 4,
        end: 4,
        block: "  return a + 2;\n",
        expect: { text: "  return a + 1;" },
      },
      {
        op: "insert-after",
        file: "s.ts",
        line: 7,
        block: "export const three = 3;\n",
        expect: { text: "export const two = 2;" },
      },
    ]);
  });

  test("takes what shares no line with it before line N+1", async () => {
    const added = "export function three() {\n  return 3;\n}\n";
    expect(await patchesOf({ "s.ts": SOURCE }, [{ filePath: "s.ts", fileContents: added }])).toEqual([
      { op: "insert-before", file: "s.ts", line: 8, block: added, openSpace: true },
    ]);
  });

  test("is refused when the contents could be an addition or the file with most of it gone", async () => {
    const unclear = 'import { a } from "./a.ts";\n\nexport const three = a;\n';
    expect(await bridge({ "s.ts": SOURCE }, [{ filePath: "s.ts", fileContents: unclear }])).toMatchObject({
      ok: false,
      error: { code: "AMBIGUOUS_LOCATION", file: "s.ts" },
    });
  });

  test("becomes exactly the contents when they are said to be all of it", async () => {
    const fileContents = 'import { a } from "./a.ts";\n\nexport const three = a;\n';
    const patches = await patchesOf({ "s.ts": SOURCE }, [{ filePath: "s.ts", fileContents, format: "full_content" }]);
    expect(carryOut(SOURCE, patches)).toEqual(linesOf(fileContents));
  });

  test("does not change its line endings or byte order mark to those of the contents", async () => {
    const windows = `\uFEFF${SOURCE.replaceAll("\n", "\r\n")}`;
    expect(
      await patchesOf({ "s.ts": windows }, [{ filePath: "s.ts", fileContents: SOURCE, format: "full_content" }]),
    ).toEqual([]);
  });
});

test("a unified diff becomes apply-diff of its file", async () => {
  const diff = "@@ -1 +1 @@\n-a\n+b\n";
  expect(
    await patchesOf({ "a.ts": "a\n" }, [{ filePath: "a.ts", fileContents: diff, format: "unified_diff" }]),
  ).toEqual([{ op: "apply-diff", file: "a.ts", diff }]);
});

test("line edits turn any text into any other, and never touch or overlap one another", () => {
  const lines = array(constantFrom("", "a", "b", "}", "  c"), { maxLength: 30 });
  assert(
    property(lines, lines, (from, to) => {
      const text = from.map((line) => `${line}\n`).join("");
      const changes = lineChanges(from, to);
      expect(carryOut(text, changesToPatches("f", from, changes))).toEqual(to);
      for (const [at, change] of changes.entries()) {
        const next = changes[at + 1];
        if (next) expect(next.start).toBeGreaterThan(change.start + change.removed.length);
      }
    }),
  );
});

test("texts too different for the shortest edit are still turned into one another", () => {
  const from = Array.from({ length: 4000 }, (_, n) => `old ${n}`);
  const to = ["kept", ...Array.from({ length: 4000 }, (_, n) => `new ${n}`)];
  const changes = lineChanges(["kept", ...from], to);
  expect(changes).toHaveLength(1);
  expect(changes[0]).toMatchObject({ start: 2, removed: from });
});

test("a review's issues become patches only where code must change and the fix is known", async () => {
  const batch = await codeReviewToPatchBatch(
    {
      dependenciesNotMet: [],
      issuesFound: true,
      frontendIssues: [],
      backendIssues: [],
      filesToFix: [
        { filePath: "a.ts", issues: ["Replace `var` with `let`.", "hard to read"], require_code_changes: true },
        { filePath: "b.ts", issues: ["replace `x` with `y`"], require_code_changes: false },
      ],
      commands: [],
    },
    planStatedFix,
  );
  expect(batch).toEqual({
    requester: "lint-specialist",
    reason: "code-review-fixes",
    patches: [{ op: "search-replace", file: "a.ts", search: "var", replace: "let" }],
  });
});
