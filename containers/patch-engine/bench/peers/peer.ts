import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { applyPatch, parsePatch } from "diff";
import { openEngine } from "../../index.ts";
import type { PatchBatchInput } from "@shared/contracts";

/** One change, said in the format each editor takes. */
export interface Change {
  diff: string;
  /** The `*** Begin Patch` envelope. */
  envelope: string;
  batch: PatchBatchInput;
}

/** An editor under comparison. */
export interface Peer {
  name: string;
  version: string;
  /** Tries the change in a directory; true where the editor says it was applied. */
  apply: (directory: string, change: Change) => Promise<boolean>;
}

const run = (command: string, args: string[], cwd: string, input?: string): boolean =>
  spawnSync(command, args, { cwd, ...(input !== undefined && { input }), stdio: ["pipe", "ignore", "ignore"] })
    .status === 0;

const firstLine = (command: string, args: string[]): string =>
  execFileSync(command, args, { encoding: "utf8" }).split("\n")[0]?.trim() ?? "";

const git: Peer = {
  name: "git apply",
  version: firstLine("git", ["--version"]).replace("git version ", ""),
  apply: async (directory, { diff }) => run("git", ["apply", "-"], directory, diff),
};

const gnu: Peer = {
  name: "GNU patch",
  version: firstLine("patch", ["--version"]).replace("GNU patch ", ""),
  apply: async (directory, { diff }) => run("patch", ["-p1", "-f", "-s"], directory, diff),
};

/** A library of strings: the loop that reads and writes files is the one its documentation shows. */
const jsdiff: Peer = {
  name: "jsdiff",
  version: "9.0.0",
  apply: async (directory, { diff }) => {
    for (const file of parsePatch(diff)) {
      const path = join(directory, (file.newFileName ?? "").replace(/^b\//, ""));
      const result = applyPatch(readFileSync(path, "utf8"), file);
      if (result === false) return false;
      writeFileSync(path, result);
    }
    return true;
  },
};

/** Codex is not a dependency: `CODEX_BIN` names an installed one, and without it the column is left out. */
const codexProgram = process.env.CODEX_BIN;
const codex: Peer[] = codexProgram
  ? [
      {
        name: "Codex apply_patch",
        version: firstLine(codexProgram, ["--version"]).replace("codex-cli ", ""),
        apply: async (directory, { envelope }) =>
          run(codexProgram, ["--codex-run-as-apply-patch", envelope], directory),
      },
    ]
  : [];

const ours: Peer = {
  name: "patch-engine",
  version: "this tree",
  apply: async (directory, { batch }) => {
    const opened = await openEngine({ root: directory, workspaceId: "comparison" });
    if (!opened.ok) throw new Error(opened.error.message);
    const answer = await opened.engine.apply({ batch, door: "patchctl" });
    await opened.engine.close();
    return answer.ok;
  },
};

export const PEERS: readonly Peer[] = [ours, git, gnu, jsdiff, ...codex];
