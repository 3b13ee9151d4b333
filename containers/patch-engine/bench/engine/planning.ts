import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PatchBatchSchema } from "@shared/contracts";
import { applyPatch, structuredPatch } from "diff";
import DiffMatchPatch from "diff-match-patch";
import { planBatch, sha256 } from "../../core/index.ts";
import { bufferOf } from "../../core/textFile.ts";
import { floor, type LineEdit } from "./floor.ts";
import { measure, type Row, type Timing } from "./measure.ts";

const LINES = 10_000;
const EDITS = 1_000;

/** The native program of `@openai/codex`, which acts as `apply_patch` when it is called by that name. */
const { CODEX } = process.env;

/** 1,000 replacements in 10,000 lines: planned, applied, and told as a diff. */
export async function measurePlanning(): Promise<{ rows: Row[]; remarks: string[] }> {
  const path = "src/large.ts";
  const lines = Array.from(
    { length: LINES },
    (_, at) => `export const value${at} = compute(${at}, "${"x".repeat(at % 40)}");\n`,
  );
  const before = Buffer.from(lines.join(""));
  const step = LINES / EDITS;
  const edits: LineEdit[] = Array.from({ length: EDITS }, (_, at) => ({
    line: at * step + 4,
    text: Buffer.from(`export const value${at * step + 3} = replaced(${at});\n`),
  }));
  const batch = PatchBatchSchema.parse({
    patches: edits.map(({ line, text }) => ({
      op: "replace-block",
      file: path,
      start: line,
      end: line,
      block: text.toString(),
    })),
  });
  const files = new Map([[path, { bytes: before, sha256: sha256(before), mode: "100644" as const }]]);
  const ours = (): { after: Buffer; diff: string } => {
    const result = planBatch(batch, files, { mintPatchId: (index) => `p${index}` });
    const file = result.ok ? result.plan.files[0] : undefined;
    if (!file?.after) throw new Error("the batch was refused");
    return { after: bufferOf(file.after), diff: file.diff };
  };

  const expected = floor(path, before, edits);
  const planned = ours();
  if (!planned.after.equals(expected.after)) throw new Error("the engine and the floor disagree on the text");
  if (planned.diff !== expected.diff) throw new Error("the engine and the floor disagree on the diff");

  const beforeText = before.toString();
  const afterText = expected.after.toString();
  const directory = mkdtempSync(join(tmpdir(), "vibehq-bench-"));
  const target = join(directory, path);
  execFileSync("mkdir", ["-p", join(directory, "src")]);
  writeFileSync(target, before);
  writeFileSync(join(directory, "change.diff"), expected.diff);
  const dmp = new DiffMatchPatch();
  const dmpPatches = dmp.patch_make(beforeText, afterText);
  const back = (command: string, args: string[]): void => {
    execFileSync(command, args, { cwd: directory, stdio: ["ignore", "ignore", "inherit"] });
    writeFileSync(target, before);
  };

  const envelope = [
    "*** Begin Patch",
    `*** Update File: ${path}`,
    ...edits.map(({ line, text }) => `@@\n-${lines[line - 1]?.trimEnd() ?? ""}\n+${text.toString().trimEnd()}`),
    "*** End Patch\n",
  ].join("\n");
  const codex = (program: string): void => {
    const ran = spawnSync(program, [], { argv0: "apply_patch", cwd: directory, input: envelope });
    if (ran.status !== 0) throw new Error(`codex ended with ${ran.status}: ${ran.stderr.toString()}`);
  };

  try {
    if (CODEX !== undefined) {
      codex(CODEX);
      if (!readFileSync(target).equals(expected.after)) throw new Error("codex and the floor disagree on the text");
      writeFileSync(target, before);
    }
    const timings = await measure(
      [
        { name: "floor: one pass, one diff from the edits", run: () => floor(path, before, edits) },
        { name: "patch-engine", run: ours },
        {
          name: "jsdiff structuredPatch + applyPatch",
          rounds: 3,
          run: () => applyPatch(beforeText, structuredPatch(path, path, beforeText, afterText)),
        },
        {
          name: "diff-match-patch patch_apply (patches given)",
          rounds: 3,
          run: () => dmp.patch_apply(dmpPatches, beforeText),
        },
        { name: "git apply (process, diff given)", rounds: 20, run: () => back("git", ["apply", "change.diff"]) },
        {
          name: "GNU patch (process, diff given)",
          rounds: 20,
          run: () => back("patch", ["-s", "-p1", "-i", "change.diff"]),
        },
        ...(CODEX === undefined
          ? []
          : [
              {
                name: "codex apply_patch (process, envelope given)",
                rounds: 5,
                run: () => {
                  codex(CODEX);
                  writeFileSync(target, before);
                },
              },
            ]),
      ],
      100,
    );
    const of = (start: string): Timing => {
      const found = [...timings].find(([name]) => name.startsWith(start))?.[1];
      if (!found) throw new Error(`nothing was measured of ${start}`);
      return found;
    };
    const what = `plan + apply + diff, ${EDITS} replacements in ${LINES} lines`;
    const ourTiming = of("patch-engine");
    const rows: Row[] = [
      { what, ours: ourTiming, against: of("floor"), reach: { slower: 2 } },
      { what, ours: ourTiming, against: of("jsdiff"), reach: { faster: 100 } },
      { what, ours: ourTiming, against: of("git apply"), reach: { faster: 4 } },
      { what, ours: ourTiming, against: of("GNU patch"), reach: null },
      { what, ours: ourTiming, against: of("diff-match-patch"), reach: null },
    ];
    if (CODEX !== undefined) {
      rows.push({ what, ours: ourTiming, against: of("codex"), reach: null });
      return { rows, remarks: [] };
    }
    const remark = "- @openai/codex's apply_patch: left out. CODEX names its native program where it is installed.";
    return { rows, remarks: [remark] };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
