import { randomUUID } from "node:crypto";
import type { LogEntry } from "@shared/contracts";
import { EXIT } from "../exit.ts";
import { print, printAnswer, printFailure } from "../print.ts";
import { commonArgs, UsageError, writingArgs, type Verb } from "../verb.ts";
import { withEngine } from "../workspace.ts";

const BY = ["patch", "batch", "task"] as const;

export const revert: Verb = {
  summary: "Undo a patch, a batch or a task's patches",
  args: {
    id: { type: "positional", required: true, description: "The patch's, batch's or task's id" },
    by: { type: "enum", options: [...BY], description: "What the id names. Default: patch" },
    ...writingArgs,
    ...commonArgs,
  },
  async run(args) {
    const id = args.required("id");
    const by = BY.find((one) => one === (args.text("by") ?? "patch"));
    if (!by) throw new UsageError("--by is patch, batch or task");
    const requester = args.text("requester");
    const reason = args.text("reason");
    return withEngine(args, async (engine, root) => {
      const answer = await engine.revert({
        target: { by, id },
        batchId: args.text("batch-id") ?? args.terminal.batchId ?? randomUUID(),
        ...(requester !== undefined && { requester }),
        ...(reason !== undefined && { reason }),
        door: "patchctl",
      });
      const exit = printAnswer(args, answer, false);
      if (answer.ok) args.terminal.report(root);
      return exit;
    });
  },
};

export const show: Verb = {
  summary: "Show a patch with its diff, or a batch",
  args: {
    id: { type: "positional", required: true, description: "The patch's or batch's id" },
    ...commonArgs,
  },
  async run(args) {
    const id = args.required("id");
    return withEngine(args, async (engine) => {
      const found = await engine.patch(id);
      if (found.ok) {
        const { patch, entry } = found;
        print(args, { ok: true, patch, entry: head(entry) }, `${describe(entry)}\n${patch.diff.trimEnd()}`);
        return EXIT.done;
      }
      if (found.error.code !== "PATCH_NOT_FOUND") return printFailure(args, found.error);
      const entry = (await engine.entriesAfter(0)).find(({ batchId }) => batchId === id);
      if (!entry) return printFailure(args, found.error);
      const diffs = entry.files.map(({ diff }) => diff.trimEnd()).join("\n");
      print(args, { ok: true, entry }, `${describe(entry)}\n${diffs}`);
      return EXIT.done;
    });
  },
};

export const log: Verb = {
  summary: "List what was applied, oldest first",
  args: {
    after: { type: "string", valueHint: "n", description: "Only entries after this number. Default: 0" },
    limit: { type: "string", valueHint: "n", description: "At most this many. Default: 100" },
    ...commonArgs,
  },
  async run(args) {
    const after = args.integer("after", 0) ?? 0;
    const limit = args.integer("limit", 1) ?? 100;
    return withEngine(args, async (engine) => {
      const entries = await engine.entriesAfter(after, limit);
      print(args, { ok: true, entries, head: engine.info().head }, entries.map(describe).join("\n"));
      return EXIT.done;
    });
  },
};

export const verify: Verb = {
  summary: "Follow the log's hash chain from its first entry",
  args: { ...commonArgs },
  run: (args) =>
    withEngine(args, async (engine) => {
      const verified = await engine.verify();
      if (!verified.ok) return printFailure(args, verified.error);
      const { seq, hash } = verified.head;
      print(args, { ok: true, head: verified.head }, `ok: ${seq} entries, head ${hash}`);
      return EXIT.done;
    }),
};

const head = ({ seq, hash, batchId, kind, ts, requester, reason }: LogEntry) => ({
  seq,
  hash,
  batchId,
  kind,
  ts,
  requester,
  reason,
});

const describe = ({ seq, ts, kind, batchId, requester, reason, patches, files }: LogEntry): string =>
  `${seq}  ${ts}  ${kind} ${batchId}  by ${requester}  ${patches.length} patches, ${files.map(({ path }) => path).join(" ")}` +
  (reason === "" ? "" : `  (${reason})`);
