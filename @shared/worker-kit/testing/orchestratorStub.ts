/**
 * An orchestrator for a factory's own tests: it speaks the RPC interface, records each call with the caller that the
 * binding's props name, and answers from what the test has put. The system suite runs the real one.
 * Written as a module of its own, since it runs as a second Worker beside the factory.
 */
const SCRIPT = `
import { WorkerEntrypoint } from "cloudflare:workers";

let state;
const HASH = "0".repeat(64);
const refused = (code, message) => ({ ok: false, error: { code, message, retryable: false, nothingWritten: true } });
const scripted = (method) => state.answers[method]?.shift();
const note = (entrypoint, method, input) => {
  state.calls.push({ method, caller: entrypoint.ctx.props.caller, input });
  return scripted(method);
};
const linesOf = (text) => (text === "" ? [] : text.replace(/\\n$/, "").split("\\n"));

export class AIProviderOps extends WorkerEntrypoint {
  executeTask(taskId, provider, options) {
    const answer = note(this, "executeTask", { taskId, provider: provider ?? null, options: options ?? {} });
    return answer ?? refused("PROVIDER_UNAVAILABLE", "no provider works here");
  }
  getExecution(input) {
    return note(this, "getExecution", { executionId: input }) ?? refused("NOT_FOUND", input);
  }
}

export class PatchOps extends WorkerEntrypoint {
  readFile(input) {
    const answer = note(this, "readFile", input);
    if (answer) return answer;
    const content = state.files[input.file];
    if (content === undefined) return refused("FILE_NOT_FOUND", input.file);
    return { ok: true, file: { path: input.file, content, sha256: HASH, mode: "100644", lines: linesOf(content).length } };
  }
  resolveMarkers(input) {
    const answer = note(this, "resolveMarkers", input);
    if (answer) return answer;
    return { ok: true, files: input.files.map((file) => {
      const content = state.files[file];
      if (content === undefined) return { file, exists: false, lines: 0, markers: [], coordinates: { mode: "new" } };
      const lines = linesOf(content);
      const markers = lines.flatMap((line, at) => {
        const name = /###FINAL_MILE_PROMPT__([A-Z0-9_]+)###/.exec(line)?.[1];
        if (!name) return [];
        const end = lines.findIndex((other) => other.includes("###END_" + name + "###"));
        return [{ file, name, closed: end !== -1, span: { start: at + 1, end: end === -1 ? at + 1 : end + 1 } }];
      });
      const coordinates = markers[0]
        ? { mode: "existing", span: markers[0].span }
        : { mode: "existing", insertBeforeLine: lines.length + 1 };
      return { file, exists: true, lines: lines.length, markers, coordinates };
    }) };
  }
  applyPatches(batch) {
    const answer = note(this, "applyPatches", batch);
    if (answer) return answer;
    const files = [...new Set(batch.patches.map((patch) => patch.file))];
    return {
      ok: true,
      outcome: {
        ok: true, status: "applied", batchId: batch.batchId, workspaceId: batch.workspaceId,
        head: { seq: 1, hash: HASH }, treeHash: HASH, checks: [], durationMs: 1,
        patches: batch.patches.map(({ id, file, op, taskId = null }) => ({
          patch_id: id, file, op, task_id: taskId, status: "applied", landed: { start: 1, end: 1 }, moved: 0, diff_path: null,
        })),
        files: files.map((file) => ({ file, beforeSha256: HASH, afterSha256: HASH, linesAdded: 1, linesRemoved: 0, diff: "" })),
      },
      results: batch.patches.map(({ id, file, op }) => ({ patch_id: id, file, op, event_type: "patch_applied" })),
    };
  }
  getPatch(input) {
    return note(this, "getPatch", input) ?? refused("PATCH_NOT_FOUND", input.patchId);
  }
  validateBatch(input) {
    return note(this, "validateBatch", input) ?? { ok: true, checks: [], results: [] };
  }
}

export class DeliveryReports extends WorkerEntrypoint {
  getByOrder(input) {
    return note(this, "getByOrder", { orderId: input }) ?? refused("NOT_FOUND", input);
  }
}

export class HealthOps extends WorkerEntrypoint {
  probe(input) {
    return note(this, "probe", input) ?? { ok: true, details: [{ name: input.profile, ok: true, code: null, message: null, duration_ms: 1 }] };
  }
  submitResult(result) {
    return note(this, "submitResult", result) ?? { ok: true, status: result.status };
  }
}

export class OpsScan extends WorkerEntrypoint {
  scan(scope) {
    return note(this, "scan", { scope: scope ?? "full" }) ?? refused("CONFLICT", "a scan runs");
  }
}

/** Lines come after the answer they are about, so they stand apart from the calls, which are in order. */
export class LoggingOps extends WorkerEntrypoint {
  write({ entries }) {
    const answer = scripted("write");
    if (answer) return answer;
    state.lines.push(...entries.map((entry) => ({ caller: this.ctx.props.caller, ...entry })));
    return { ok: true, written: entries.length, dropped: 0 };
  }
}

export class FactoryOps extends WorkerEntrypoint {
  reportPhase(input) {
    return note(this, "reportPhase", input) ?? { ok: true, seq: state.calls.length };
  }
  getOrder(input) {
    const answer = note(this, "getOrder", input);
    if (answer) return answer;
    if (input.orderId !== state.order.id) return refused("NOT_FOUND", input.orderId);
    return { ok: true, order: state.order, tasks: state.tasks };
  }
  setOrderStatus(input) {
    const answer = note(this, "setOrderStatus", input);
    if (answer) return answer;
    state.order = { ...state.order, status: input.status };
    return { ok: true, order: state.order };
  }
}

export class Control extends WorkerEntrypoint {
  begin(given) { state = { calls: [], lines: [], files: {}, tasks: [], answers: {}, ...given }; }
  calls() { return state.calls; }
  lines() { return state.lines; }
}

export default { fetch: () => new Response(null, { status: 404 }) };
`;

/** For `cloudflareTest({ miniflare })`: the stub beside the factory, and the binding a test steers it by. */
export const orchestratorStub = {
  workers: [{ name: "vibehq-orchestrator", modules: true, compatibilityDate: "2026-10-30", script: SCRIPT }],
  serviceBindings: { CONTROL: { name: "vibehq-orchestrator", entrypoint: "Control" } },
};
