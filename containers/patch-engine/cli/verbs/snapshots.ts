import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { WorkspaceSourceSchema, type WorkspaceSource } from "@shared/contracts";
import { z } from "zod";
import { EXIT } from "../exit.ts";
import { print, printFailure } from "../print.ts";
import { commonArgs, UsageError, type Arguments, type Verb } from "../verb.ts";
import { withEngine } from "../workspace.ts";

export const replay: Verb = {
  summary: "Rebuild the workspace from its source and log elsewhere, and compare",
  args: {
    source: {
      type: "string",
      valueHint: "dir",
      description: "The source's files. Default: what .mission_control/source.json names, where it is a directory",
    },
    into: {
      type: "string",
      valueHint: "dir",
      description: "Keep what was rebuilt in this empty directory. Default: it is thrown away",
    },
    ...commonArgs,
  },
  run: (args) =>
    withEngine(args, async (engine, root) => {
      const source = sourceOf(args, root);
      const into = args.text("into");
      const kept = into === undefined ? undefined : resolve(args.terminal.cwd, into);
      if (kept !== undefined && existsSync(kept) && readdirSync(kept).length > 0) {
        throw new UsageError("--into: the directory is not empty");
      }
      const history = await engine.history();
      if (!history.ok) return printFailure(args, history.error);
      const { rebuild } = await import("../../index.ts");
      const place = kept ?? mkdtempSync(join(tmpdir(), "patchctl-replay-"));
      try {
        mkdirSync(place, { recursive: true });
        const rebuilt = await rebuild(history, source, place);
        if (!rebuilt.ok) return printFailure(args, rebuilt.error);
        const { head, treeHash } = rebuilt;
        print(args, { ok: true, head, treeHash }, `ok: ${head.seq} entries lead to the same tree, ${treeHash}`);
        return EXIT.done;
      } finally {
        if (kept === undefined) rmSync(place, { recursive: true, force: true });
      }
    }),
};

export const snapshot: Verb = {
  summary: "Write the workspace, its files and its log, as one file",
  args: {
    file: { type: "positional", required: true, description: "The file to make, a gzipped tar" },
    ...commonArgs,
  },
  run: (args) =>
    withEngine(args, async (engine) => {
      const written = await engine.snapshot(resolve(args.terminal.cwd, args.required("file")));
      if (!written.ok) return printFailure(args, written.error);
      const { head, treeHash, content, entries } = written.manifest;
      print(args, { ok: true, head, treeHash, content }, `ok: entry ${head.seq}, ${entries.length} files, ${content}`);
      return EXIT.done;
    }),
};

export const restore: Verb = {
  summary: "Make a workspace of a snapshot, and verify all of it",
  args: {
    file: { type: "positional", required: true, description: "The snapshot" },
    into: { type: "string", required: true, valueHint: "dir", description: "A directory that is empty or not there" },
    json: commonArgs.json,
  },
  async run(args) {
    const { restoreSnapshot } = await import("../../index.ts");
    const restored = await restoreSnapshot(
      resolve(args.terminal.cwd, args.required("file")),
      resolve(args.terminal.cwd, args.required("into")),
    );
    if (!restored.ok) return printFailure(args, restored.error);
    const { workspaceId, head, treeHash, content } = restored.manifest;
    print(args, { ok: true, workspaceId, head, treeHash, content }, `ok: ${workspaceId} at entry ${head.seq}`);
    return EXIT.done;
  },
};

const RecordSchema = z.object({ source: WorkspaceSourceSchema, pin: z.string().optional() });

/** The directory a workspace was opened from. */
function sourceOf(args: Arguments, root: string): string {
  const given = args.text("source");
  if (given !== undefined) {
    const directory = resolve(args.terminal.cwd, given);
    if (!existsSync(directory)) throw new UsageError(`--source: there is no directory ${given}`);
    return directory;
  }
  const path = join(root, ".mission_control", "source.json");
  if (!existsSync(path)) throw new UsageError("this workspace does not say where it comes from: give --source");
  const record = RecordSchema.safeParse(JSON.parse(readFileSync(path, "utf8")));
  if (!record.success) throw new UsageError(".mission_control/source.json does not name a source: give --source");
  const { source, pin } = record.data;
  if (source.kind === "path" && existsSync(source.path)) return source.path;
  throw new UsageError(`the source is not at hand, give --source: a directory with ${described(source, pin)}`);
}

function described(source: WorkspaceSource, pin: string | undefined): string {
  switch (source.kind) {
    case "git":
      return `the files of commit ${pin ?? source.ref ?? "HEAD"}`;
    case "template":
      return `the template ${source.template}`;
    case "archive":
      return "the unpacked archive";
    case "path":
      return "the files it was opened with";
  }
}
