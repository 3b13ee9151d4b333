import type { CustodyRecord } from "./custody.ts";
import type { DeliveredStatus, DeliverySummary } from "./delivery.ts";
import type { JsonObject } from "./json.ts";

/** UTF-16 units of JSON that each list of a report may have. Together, as UTF-8, they stay below what a D1 value may. */
export const LIST_BUDGET = { patches: 90_000, files: 60_000, failures: 40_000, other: 15_000 } as const;

/** Texts of a report are clipped: one of them must not take the room of all others. UTF-16 units. */
const MAX_TEXT = 400;

interface Patch {
  workspaceId: string;
  patchId: string;
  file: string;
  op: string;
  taskId: string | null;
  batchId: string | null;
  phase: string | null;
  requester: string | null;
  reason: string | null;
  provider: string | null;
  model: string | null;
  status: DeliveredStatus;
  typesOk: boolean | null;
  added: number;
  removed: number;
  /** Of its last event. */
  ts: string;
  /** Since which event it stands, counted over all of them; 0 where it does not. */
  standsSince: number;
}

interface Failure {
  batchId: string | null;
  patches: number;
  ts: string;
  at: number;
  culprit: Patch;
  code: string;
  message: string;
}

interface Phase {
  messages: number;
  lastMessage: string | null;
  from: string;
  to: string;
}

interface Chain {
  workspaceId: string;
  events: number;
  last: { seq: number; hash: string };
  tree: string | null;
}

type Items<T> = { items: T[]; omitted: number };

/**
 * Reads an order's events, chain by chain and each in its order, and says what they come to. Whoever writes a report and
 * whoever verifies one compute it by this. It takes what it is given: that the events are genuine is for others to say.
 */
export class DeliveryLedger {
  readonly #patches = new Map<string, Patch>();
  readonly #failures = new Map<string, Failure>();
  readonly #reverts: DeliverySummary["reverts"]["items"] = [];
  readonly #phases = new Map<string | null, Phase>();
  readonly #checks = new Map<string, { passed: number; failed: number }>();
  readonly #entries = new Map<string, number>();
  readonly #chains = new Map<string, Chain>();
  #first: string | null = null;
  #last: string | null = null;
  #at = 0;

  add(record: CustodyRecord): void {
    this.#at += 1;
    const { workspace_id: workspaceId, ts } = record;
    if (this.#first === null || ts < this.#first) this.#first = ts;
    if (this.#last === null || ts > this.#last) this.#last = ts;
    const chain = this.#chains.get(workspaceId);
    this.#chains.set(workspaceId, {
      workspaceId,
      events: (chain?.events ?? 0) + 1,
      last: { seq: record.seq, hash: record.hash },
      tree: record.log?.treeAfter ?? chain?.tree ?? null,
    });
    if (record.kind === "phase") this.#message(record);
    else if (record.patch_id !== null) this.#step(record, record.patch_id);
  }

  /** Patches whose outcome is not known yet. */
  get inFlight(): number {
    return [...this.#patches.values()].filter((patch) => patch.status === "requested").length;
  }

  summary(): DeliverySummary {
    const patches = [...this.#patches.values()];
    const counted = (status: DeliveredStatus) => patches.filter((patch) => patch.status === status).length;
    const requested = counted("requested");
    const succeeded = patches.filter(hasSucceeded).length;
    const standing = patches.filter(stands);
    const settled = patches.length - requested;
    return {
      patches: {
        total: patches.length,
        requested,
        applied: counted("applied"),
        validated: counted("validated"),
        failed: counted("failed"),
        reverted: counted("reverted"),
        succeeded,
      },
      success_rate: settled === 0 ? null : Math.round((succeeded / settled) * 10_000) / 100,
      lines_added: total(standing, (patch) => patch.added),
      lines_removed: total(standing, (patch) => patch.removed),
      first_event: this.#first,
      last_event: this.#last,
      duration_ms: duration(this.#first, this.#last),
      engine_ms: total([...this.#entries.values()], (milliseconds) => milliseconds),
      phases: withinBudget(LIST_BUDGET.other, this.#phaseItems(patches)),
      patch_list: withinBudget(LIST_BUDGET.patches, patches.map(itemOf)),
      files: withinBudget(LIST_BUDGET.files, fileItems(standing)),
      failures: withinBudget(LIST_BUDGET.failures, this.#failureItems()),
      reverts: withinBudget(LIST_BUDGET.other, this.#reverts),
      checks: {
        types: {
          passed: patches.filter((patch) => patch.typesOk === true).length,
          failed: patches.filter((patch) => patch.typesOk === false).length,
          not_run: patches.filter((patch) => patch.typesOk === null).length,
        },
        workspace: withinBudget(
          LIST_BUDGET.other,
          sorted([...this.#checks], ([name]) => name).map(([name, verdicts]) => ({ name, ...verdicts })),
        ),
      },
      providers: withinBudget(LIST_BUDGET.other, providerItems(patches)),
      chains: sorted([...this.#chains.values()], (chain) => chain.workspaceId).map(
        ({ workspaceId, events, last, tree }) => ({ workspace_id: workspaceId, events, last, tree }),
      ),
    };
  }

  #message({ meta, event_type: type, ts }: CustodyRecord): void {
    const phase = textOf(meta, "phase");
    const known = this.#phases.get(phase);
    this.#phases.set(phase, {
      messages: (known?.messages ?? 0) + 1,
      lastMessage: type,
      ...span(known, ts),
    });
  }

  #step(record: CustodyRecord, patchId: string): void {
    const { workspace_id: workspaceId, meta, ts } = record;
    const key = JSON.stringify([workspaceId, patchId]);
    const known = this.#patches.get(key);
    const phase = known?.phase ?? textOf(meta, "phase");
    const status = STATUS[record.event_type] ?? known?.status ?? "requested";
    const isStanding = status === "applied" || status === "validated";
    const patch: Patch = {
      workspaceId,
      patchId: clip(patchId),
      file: known?.file ?? clip(record.file ?? ""),
      op: known?.op ?? clip(record.op ?? ""),
      taskId: known?.taskId ?? clipped(record.task_id),
      // Sent again, it belongs to the batch that brought it.
      batchId: (status === "reverted" ? known?.batchId : null) ?? clipped(record.batch_id),
      phase,
      requester: known?.requester ?? textOf(meta, "requester"),
      reason: known?.reason ?? textOf(meta, "reason"),
      provider: known?.provider ?? textOf(meta, "provider"),
      model: known?.model ?? textOf(meta, "model"),
      status,
      typesOk: status === "reverted" ? (known?.typesOk ?? null) : record.ts_check_ok,
      added: linesOf(meta, "lines_added"),
      removed: linesOf(meta, "lines_removed"),
      ts,
      standsSince: isStanding ? known?.standsSince || this.#at : 0,
    };
    this.#patches.set(key, patch);
    this.#phases.set(phase, {
      messages: this.#phases.get(phase)?.messages ?? 0,
      lastMessage: this.#phases.get(phase)?.lastMessage ?? null,
      ...span(this.#phases.get(phase), ts),
    });
    if (record.log !== null) {
      this.#entries.set(JSON.stringify([workspaceId, record.log.seq]), numberOf(meta, "duration_ms"));
    }
    if (status === "failed") this.#fail(record, patch);
    if (status === "reverted") {
      const [requester, reason] = [textOf(meta, "requester"), textOf(meta, "reason")];
      this.#reverts.push({ patch_id: patch.patchId, file: patch.file, requester, reason, ts });
    }
    this.#verdict(meta);
  }

  #fail({ workspace_id: workspaceId, meta, batch_id: batchId, ts }: CustodyRecord, patch: Patch): void {
    const { error } = meta;
    const said: JsonObject = typeof error === "object" && error !== null && !Array.isArray(error) ? error : {};
    const [code, message] = [textOf(said, "code") ?? "UNKNOWN", textOf(said, "message") ?? ""];
    const key = JSON.stringify([workspaceId, batchId ?? patch.patchId]);
    const known = this.#failures.get(key);
    // The patch at fault speaks for its batch; the others say only that the batch was refused.
    const speaks = known === undefined || (known.code === BYSTANDER && code !== BYSTANDER);
    this.#failures.set(key, {
      ...(speaks ? { culprit: patch, code, message } : known),
      batchId: clipped(batchId),
      patches: (known?.patches ?? 0) + 1,
      ts,
      at: this.#at,
    });
  }

  /** What the workspace's own check said: `checks` names them, `failed_checks` those that did not pass. */
  #verdict({ checks, failed_checks: failed }: JsonObject): void {
    if (!Array.isArray(checks)) return;
    for (const name of checks) {
      if (typeof name !== "string") continue;
      const isFailed = Array.isArray(failed) && failed.includes(name);
      const { passed = 0, failed: soFar = 0 } = this.#checks.get(clip(name)) ?? {};
      this.#checks.set(clip(name), { passed: passed + Number(!isFailed), failed: soFar + Number(isFailed) });
    }
  }

  #phaseItems(patches: readonly Patch[]): DeliverySummary["phases"]["items"] {
    const byPhase = Map.groupBy(patches, (patch) => patch.phase);
    return [...this.#phases].map(([phase, { messages, lastMessage, from, to }]) => {
      const own = byPhase.get(phase) ?? [];
      return {
        phase,
        patches: own.length,
        succeeded: own.filter(hasSucceeded).length,
        failed: own.filter((patch) => patch.status === "failed").length,
        reverted: own.filter((patch) => patch.status === "reverted").length,
        messages,
        last_message: lastMessage,
        from,
        to,
      };
    });
  }

  #failureItems(): DeliverySummary["failures"]["items"] {
    const good = [...this.#patches.values()].filter(hasSucceeded);
    const byId = new Map(good.map((patch) => [keyOf(patch, patch.patchId), patch]));
    const byTask = Map.groupBy(good, (patch) => keyOf(patch, patch.taskId, patch.file));
    const byFile = Map.groupBy(good, (patch) => keyOf(patch, patch.file));
    return [...this.#failures.values()].map((failure) => {
      const { culprit } = failure;
      const later = (...candidates: (Patch | undefined)[]): Patch | null =>
        candidates.find((patch) => patch !== undefined && patch.standsSince > failure.at) ?? null;
      const again = later(byId.get(keyOf(culprit, culprit.patchId)));
      const corrected = later(byId.get(keyOf(culprit, `${culprit.patchId}.corrected`)));
      const replaced =
        later(...(byTask.get(keyOf(culprit, culprit.taskId, culprit.file)) ?? [])) ??
        later(...(byFile.get(keyOf(culprit, culprit.file)) ?? []));
      const found = again ?? corrected ?? replaced;
      const how = again ? ("again" as const) : corrected ? ("corrected" as const) : ("replaced" as const);
      return {
        batch_id: failure.batchId,
        patch_id: culprit.patchId,
        file: culprit.file,
        op: culprit.op,
        code: failure.code,
        message: failure.message,
        patches: failure.patches,
        ts: failure.ts,
        resolution: found ? { how, patch_id: found.patchId, ts: found.ts } : null,
      };
    });
  }
}

const STATUS: Partial<Record<CustodyRecord["event_type"], DeliveredStatus>> = {
  patch_requested: "requested",
  patch_applied: "applied",
  patch_validated: "validated",
  patch_failed: "failed",
  patch_reverted: "reverted",
};
/** The error of a patch that nothing is wrong with: another of its batch was refused. */
const BYSTANDER = "BATCH_REFUSED";

const stands = (patch: Patch): boolean => patch.status === "applied" || patch.status === "validated";
const hasSucceeded = (patch: Patch): boolean => stands(patch) && patch.typesOk !== false;

const itemOf = (patch: Patch): DeliverySummary["patch_list"]["items"][number] => ({
  patch_id: patch.patchId,
  file: patch.file,
  op: patch.op,
  task_id: patch.taskId,
  batch_id: patch.batchId,
  requester: patch.requester,
  reason: patch.reason,
  status: patch.status,
  ts_check_ok: patch.typesOk,
  lines_added: stands(patch) ? patch.added : 0,
  lines_removed: stands(patch) ? patch.removed : 0,
  ts: patch.ts,
});

const fileItems = (standing: readonly Patch[]): DeliverySummary["files"]["items"] =>
  sorted([...Map.groupBy(standing, (patch) => patch.file)], ([file]) => file).map(([file, patches]) => ({
    file,
    patches: patches.length,
    lines_added: total(patches, (patch) => patch.added),
    lines_removed: total(patches, (patch) => patch.removed),
  }));

function providerItems(patches: readonly Patch[]): DeliverySummary["providers"]["items"] {
  const byProvider = Map.groupBy(patches, ({ provider, model }) => JSON.stringify([provider, model]));
  return sorted([...byProvider], ([key]) => key).flatMap(([, own]) => {
    const [{ provider, model } = { provider: null, model: null }] = own;
    if (provider === null) return [];
    const failed = own.filter((patch) => patch.status === "failed").length;
    return [{ provider, model, patches: own.length, succeeded: own.filter(hasSucceeded).length, failed }];
  });
}

/** The items that fit in the budget, from the first. */
export function withinBudget<T>(budget: number, items: readonly T[]): Items<T> {
  let size = 0;
  const end = items.findIndex((item) => (size += JSON.stringify(item).length + 1) > budget);
  return end === -1 ? { items: [...items], omitted: 0 } : { items: items.slice(0, end), omitted: items.length - end };
}

function span(known: { from: string; to: string } | undefined, ts: string): { from: string; to: string } {
  if (!known) return { from: ts, to: ts };
  return { from: ts < known.from ? ts : known.from, to: ts > known.to ? ts : known.to };
}

function duration(first: string | null, last: string | null): number | null {
  if (first === null || last === null) return null;
  const milliseconds = Date.parse(last) - Date.parse(first);
  return Number.isFinite(milliseconds) ? milliseconds : null;
}

const total = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((sum, item) => sum + of(item), 0);

/** By code units: the same wherever it runs, whatever its locale. */
const sorted = <T>(items: readonly T[], key: (item: T) => string): T[] =>
  items.toSorted((a, b) => (key(a) < key(b) ? -1 : Number(key(a) > key(b))));

const clip = (text: string): string =>
  (text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT - 1)}…` : text).toWellFormed();

const clipped = (text: string | null): string | null => (text === null ? null : clip(text));

const textOf = (meta: JsonObject, key: string): string | null => {
  const value = meta[key];
  return typeof value === "string" && value !== "" ? clip(value) : null;
};

const keyOf = ({ workspaceId }: Patch, ...names: (string | null)[]): string => JSON.stringify([workspaceId, ...names]);

const linesOf = (meta: JsonObject, key: string): number => {
  const value = meta[key];
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : 0;
};

const numberOf = (meta: JsonObject, key: string): number => {
  const value = meta[key];
  return typeof value === "number" && value >= 0 ? value : 0;
};
