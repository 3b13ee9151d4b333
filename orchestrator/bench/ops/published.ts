import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import type { LabelledLine } from "./logLine.ts";

/**
 * HELD OUT: real logs of CI runs and of Workers that public repositories hold, each excerpt labelled by hand with its cause
 * before the fingerprint was first run on it. Nothing is ever tuned on them, and the labels stay as they are: their file's
 * hash stands in the tests. The logs are other people's: here stand only where they are (repository, commit, file and its
 * hash, lines) and what they tell of, in our own words.
 */
export const LABELS = new URL("published.json", import.meta.url);

export const PublishedSchema = z.array(
  z.strictObject({
    repository: z.string().regex(/^[\w.-]+\/[\w.-]+$/),
    commit: z.string().regex(/^[0-9a-f]{40}$/),
    path: z.string(),
    /** Of the whole file. */
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    kind: z.enum(["worker-log", "build-log"]),
    excerpts: z.array(
      z.strictObject({
        cause: z.string(),
        /** 1-based, and how many from there. */
        line: z.number().int().positive(),
        lines: z.number().int().min(1).max(10),
      }),
    ),
  }),
);

/** As `gh run view --log` puts the names of the job and the step before a line, and Actions the time. */
const JOB_AND_STEP = /^[^\t]+\t[^\t]+\t(?=\uFEFF?\d{4}-\d\d-\d\dT)/;
const STAMP = /^\uFEFF?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z ?/;

/**
 * The excerpts, read from clones of the repositories in `directory`, each as `<owner>+<name>`. Throws where one is not
 * there or does not hold the file as it was labelled.
 */
export function readPublished(directory: string): LabelledLine[] {
  const files = PublishedSchema.parse(JSON.parse(readFileSync(LABELS, "utf8")));
  return files.flatMap(({ repository, commit, path: file, sha256, kind, excerpts }) => {
    const clone = path.join(directory, repository.replace("/", "+"));
    const inner = path.join(clone, "repo");
    const shown = spawnSync("git", ["-C", existsSync(inner) ? inner : clone, "show", `${commit}:${file}`], {
      maxBuffer: 64 * 1024 * 1024,
    });
    if (shown.status !== 0) throw new Error(`${repository} does not hold ${file} at ${commit}`);
    if (createHash("sha256").update(shown.stdout).digest("hex") !== sha256) {
      throw new Error(`${file} of ${repository} is not the file that was labelled`);
    }
    const isUtf16 = shown.stdout[0] === 0xff && shown.stdout[1] === 0xfe;
    const lines = shown.stdout
      .toString(isUtf16 ? "utf16le" : "utf8")
      .split("\n")
      .map((line) => line.replace(JOB_AND_STEP, "").replace(STAMP, "").trimEnd());
    return excerpts.map(({ cause, line, lines: count }) => ({
      cause: `${repository}: ${cause}`,
      kind,
      source: repository,
      message: lines.slice(line - 1, line - 1 + count).join("\n"),
    }));
  });
}
