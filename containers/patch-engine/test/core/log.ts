import { GENESIS_HEAD, type LogEntry, type PatchBatchInput, type RevertTarget } from "@shared/contracts";
import { LoggedFileSchema, PatchBatchSchema } from "@shared/contracts";
import {
  applyEntry,
  entryHash,
  payloadHashOf,
  planBatch,
  planRevert,
  TreeHash,
  type FileSnapshot,
  type Plan,
  type PlanResult,
} from "../../core/index.ts";
import { snapshot } from "./arbitraries.ts";

/** A workspace in memory that keeps a log as the engine does: it writes only what replaying its own entries gives. */
export class MemoryWorkspace {
  readonly entries: LogEntry[] = [];
  files: Map<string, FileSnapshot | null>;
  readonly #tree = new TreeHash();
  #patches = 0;

  constructor(files: Record<string, string>) {
    this.files = new Map(Object.entries(files).map(([path, text]) => [path, snapshot(text)]));
    for (const [path, file] of this.files) if (file) this.#tree.set(path, file.mode, file.sha256);
  }

  get texts(): Record<string, string> {
    const texts: Record<string, string> = {};
    for (const [path, file] of this.files) if (file) texts[path] = Buffer.from(file.bytes).toString();
    return texts;
  }

  get treeHash(): string {
    return this.#tree.digest();
  }

  apply(input: PatchBatchInput): PlanResult {
    const batch = PatchBatchSchema.parse(input);
    const result = planBatch(batch, this.files, { mintPatchId: () => `patch-${++this.#patches}` });
    if (result.ok) this.#record(result.plan, batch.batchId ?? `batch-${this.entries.length + 1}`, null, input);
    return result;
  }

  revert(target: RevertTarget): PlanResult {
    const result = planRevert(target, this.entries, this.files);
    if (result.ok) this.#record(result.plan, `revert-${this.entries.length + 1}`, target, target);
    return result;
  }

  #record(plan: Plan, batchId: string, target: RevertTarget | null, payload: unknown): void {
    const head = this.entries.at(-1) ?? GENESIS_HEAD;
    const treeBefore = this.#tree.digest();
    const draft: Omit<LogEntry, "hash" | "treeAfter"> = {
      v: 1,
      seq: head.seq + 1,
      prevHash: head.hash,
      kind: target ? "revert" : "batch",
      batchId,
      payloadHash: payloadHashOf(payload),
      ts: "2026-01-01T00:00:00.000Z",
      door: "host",
      actor: null,
      requester: "test",
      reason: "",
      orderId: null,
      projectId: null,
      phase: null,
      patches: plan.patches.map(({ patch_id, op, file, task_id, landed, moved, metadata, diff }) => {
        return { patch_id, op, file, task_id, landed, moved, metadata, diff, ts_check_ok: null };
      }),
      files: plan.files.map((file) => LoggedFileSchema.parse(file)),
      checks: [],
      reverts: target ? { target, patchIds: plan.patches.map(({ patch_id }) => patch_id) } : null,
      treeBefore,
      durationMs: 0,
    };
    const replayed = applyEntry(draft, this.files);
    if (!replayed.ok) throw new Error(replayed.error.message);
    for (const [path, effect] of replayed.changes) {
      this.files.set(path, effect);
      if (effect) this.#tree.set(path, effect.mode, effect.sha256);
      else this.#tree.delete(path);
    }
    const entry = { ...draft, treeAfter: this.#tree.digest() };
    this.entries.push({ ...entry, hash: entryHash(entry) });
  }
}
