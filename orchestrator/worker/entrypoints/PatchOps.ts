import type { Failed, OpenWorkspaceInput, PatchBatchInput, PatchOpsRpc, RevertTarget } from "@shared/contracts";
import { BaseWorkerEntrypoint } from "@shared/worker-kit";
import type { ServiceContext } from "../context.ts";
import { applyPatches } from "../services/patch/applyPatches.ts";
import { getPatch } from "../services/patch/getPatch.ts";
import { recordEvents } from "../services/patch/recordEvents.ts";
import { revertPatches } from "../services/patch/revertPatches.ts";
import { simulatePatches } from "../services/patch/simulatePatches.ts";
import { validateBatch } from "../services/patch/validateBatch.ts";
import { openWorkspace } from "../services/workspace/openWorkspace.ts";
import { readFile } from "../services/workspace/readFile.ts";
import { resolveMarkers } from "../services/workspace/resolveMarkers.ts";
import { asFactory } from "./asFactory.ts";

/** The patch loop for factories: the same verbs as the REST routes, called by whom the binding's props name. */
export class PatchOps extends BaseWorkerEntrypoint<Env> implements PatchOpsRpc {
  openWorkspace(input: OpenWorkspaceInput) {
    return this.#run("openWorkspace", (ctx) => openWorkspace(ctx, input));
  }

  readFile(input: { workspaceId: string; file: string }) {
    return this.#run("readFile", (ctx) => readFile(ctx, input));
  }

  resolveMarkers(input: { workspaceId: string; files: string[] }) {
    return this.#run("resolveMarkers", (ctx) => resolveMarkers(ctx, input));
  }

  applyPatches(batch: PatchBatchInput) {
    return this.#run("applyPatches", (ctx) => applyPatches(ctx, batch));
  }

  simulatePatches(batch: PatchBatchInput) {
    return this.#run("simulatePatches", (ctx) => simulatePatches(ctx, batch));
  }

  validateBatch(input: { workspaceId?: string; batchId: string }) {
    return this.#run("validateBatch", (ctx) => validateBatch(ctx, input));
  }

  revert(input: {
    workspaceId?: string;
    orderId?: string;
    target: RevertTarget;
    batchId?: string;
    requester?: string;
    reason?: string;
  }) {
    return this.#run("revert", (ctx) => revertPatches(ctx, input));
  }

  getPatch(input: { patchId: string }) {
    return this.#run("getPatch", (ctx) => getPatch(ctx, input));
  }

  recordEvents(input: Parameters<PatchOpsRpc["recordEvents"]>[0]) {
    return this.#run("recordEvents", (ctx) => recordEvents(ctx, input));
  }

  #run<T>(method: string, verb: (ctx: ServiceContext) => Promise<T>): Promise<T | Failed> {
    return this.answer(method, (call) => asFactory(this.env, call, verb));
  }
}
