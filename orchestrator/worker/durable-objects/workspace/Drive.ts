import {
  type ApplyResult,
  type EngineAnswer,
  type ErrorCode,
  fail,
  type LogEntry,
  PatchEvents,
  type Result,
  type VibeError,
  vibeError,
} from "@shared/contracts";
import type { Logger } from "@shared/worker-kit";
import type { Engine } from "../../integrations/engine.ts";
import { backoffMs } from "./backoff.ts";
import type { Chain } from "./Chain.ts";
import type { EngineLog } from "./EngineLog.ts";
import type { Intent, Intents, Settled } from "./Intents.ts";
import type { Meta } from "./Meta.ts";
import { type Asked, askedOf } from "./payload.ts";
import { eventOf, failedDrafts, outcomeOfEntry, outcomeWithoutEntry, requestedDrafts } from "./records.ts";

/** How often one attempt follows an engine that moved on before the batch is refused. */
const MAX_ROUNDS = 8;
/** How often in a row the engine may answer a batch with what settles nothing before the batch is given up: half a minute. */
const MAX_ANSWERS = 8;
/** Codes of calls that got no answer: what was sent may still be on its way. */
const UNANSWERED: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["ENGINE_UNAVAILABLE", "ENGINE_TIMEOUT"]);

export interface DriveParts {
  meta: Meta;
  chain: Chain;
  intents: Intents;
  log: EngineLog;
  engine: () => Engine;
  /** Brings engine and record to the same log again. */
  restore: () => Promise<Result<object>>;
  /** Runs storage work as one transaction and arms the alarm in the same turn. */
  commit: <T>(work: () => T) => T;
  now: () => Date;
  logger: Logger;
  /** Intents that may wait in a workspace; more are refused with RATE_LIMITED. */
  queueLimit: () => number;
}

/**
 * The queue of a workspace. An intent and its `patch_requested` events are stored first; then one loop takes intents to
 * the engine, oldest first, one at a time. What breaks off in between is taken up again by the next call or the alarm,
 * with the same batch id: the engine's log says whether it had landed.
 */
export class Drive {
  readonly #parts: DriveParts;
  readonly #waiting = new Map<string, PromiseWithResolvers<ApplyResult>>();
  /** What the batches of live calls ask for, read once. */
  readonly #asked = new Map<string, Asked>();
  #busy = false;
  #running: Promise<void> = Promise.resolve();

  constructor(parts: DriveParts) {
    this.#parts = parts;
  }

  get busy(): boolean {
    return this.#busy;
  }

  /** Stores the intent and answers with its outcome, or with `pending` where that is in doubt. */
  async submit(intent: Intent): Promise<ApplyResult> {
    const { intents, chain, commit, now, queueLimit } = this.#parts;
    const known = intents.find(intent.batchId);
    if (known) {
      const { payloadHash } = "queued" in known ? known.queued : known.settled;
      if (payloadHash !== intent.payloadHash) {
        return fail("IDEMPOTENCY_CONFLICT", `batch ${intent.batchId} is known with another payload`);
      }
      if ("settled" in known) return this.answerOf(intent.batchId, known.settled);
    } else {
      if (intents.queued() >= queueLimit()) {
        return fail("RATE_LIMITED", `${queueLimit()} batches already wait in this workspace`);
      }
      const asked = askedOf(intent, this.#parts.meta.workspaceId);
      commit(() => {
        intents.add(intent);
        chain.append(requestedDrafts(asked.facts, asked.patches, now().toISOString()));
      });
      this.#asked.set(intent.batchId, asked);
    }
    const waiting = this.#waiting.get(intent.batchId) ?? Promise.withResolvers<ApplyResult>();
    this.#waiting.set(intent.batchId, waiting);
    void this.run();
    return waiting.promise;
  }

  /** Works through the queue, unless that is under way. Settles when it is empty or the engine is in doubt; never rejects. */
  run(): Promise<void> {
    if (!this.#busy) {
      this.#busy = true;
      this.#running = this.#loop();
    }
    return this.#running;
  }

  /** The answer to a batch whose outcome is on record. */
  answerOf(batchId: string, settled: Settled): ApplyResult {
    if (settled.entrySeq === null) return settled.refusal;
    const entry = this.#parts.log.read(settled.entrySeq);
    return entry
      ? this.#appliedAnswer(entry)
      : fail("LOG_CORRUPT", `entry ${settled.entrySeq} of batch ${batchId} is not on record`, {
          nothingWritten: false,
        });
  }

  async #loop(): Promise<void> {
    const { intents, meta, commit, now, logger } = this.#parts;
    for (;;) {
      const intent = intents.next();
      // In the same turn as the look, so that an intent stored after it starts a loop of its own.
      if (!intent) {
        this.#busy = false;
        return;
      }
      let doubt: VibeError | null;
      try {
        doubt = await this.#take(intent);
      } catch (error) {
        logger.error("a batch could not be taken to the engine", { error, batchId: intent.batchId });
        doubt = vibeError("INTERNAL", "the batch is stored and will be tried again", { nothingWritten: null });
      }
      const failures = meta.drive.failures + 1;
      if (doubt) {
        const { code, message } = doubt;
        logger.warn("a batch is in doubt and holds up its workspace", {
          workspaceId: meta.workspaceId,
          batchId: intent.batchId,
          failures,
          code,
          reason: message,
        });
        if (failures >= MAX_ANSWERS && (await this.#gaveUp(intent, doubt))) doubt = null;
      }
      if (doubt) {
        this.#busy = false;
        commit(() => {
          meta.drive = { failures, retryAt: now().getTime() + backoffMs(failures) };
        });
        this.#answerAllPending(doubt);
        return;
      }
      if (meta.drive.failures > 0) meta.drive = { failures: 0, retryAt: 0 };
    }
  }

  /** Takes one intent to the engine until its outcome is stored. Answers with the error that leaves it in doubt, or null. */
  async #take(intent: Intent): Promise<VibeError | null> {
    const { intents, log, commit } = this.#parts;
    const asked = this.#asked.get(intent.batchId) ?? askedOf(intent, this.#parts.meta.workspaceId);
    let last: VibeError = vibeError("HEAD_MISMATCH", "the workspace moved on each time the batch was tried");

    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const called = await this.#call(intent, asked);
      if (!called.ok) {
        // Null is in doubt; false says that it landed and the record of it is not whole yet. Either way the engine's log knows.
        if (called.error.nothingWritten !== true) return called.error;
        if (called.error.code !== "WORKSPACE_NOT_FOUND") return this.#refuse(intent, asked, called.error, null);
        const restored = await this.#parts.restore();
        if (!restored.ok) return this.#refuseOrDoubt(intent, asked, restored.error);
        continue;
      }

      const { answer } = called;
      const ingested = commit(() => log.ingest(answer.entries));
      if (!ingested.ok) {
        // Entries that do not go on from ours say nothing that can be believed: least of all that nothing was written.
        const claimed = answer.ok || answer.entries.some((entry) => entry.batchId === intent.batchId);
        return claimed
          ? { ...ingested.error, nothingWritten: null }
          : this.#refuseOrDoubt(intent, asked, ingested.error);
      }
      const found = intents.find(intent.batchId);
      if (found && "settled" in found) {
        this.#answer(intent.batchId, this.answerOf(intent.batchId, found.settled));
        return null;
      }
      if (answer.ok) return vibeError("INTERNAL", "the engine's log does not hold the batch", { nothingWritten: null });

      last = answer.error ?? vibeError("INTERNAL", "the engine refused the batch without a reason");
      if (last.code !== "HEAD_MISMATCH") {
        if (last.nothingWritten !== true) return last;
        return this.#refuse(intent, asked, last, answer);
      }
      if (ingested.events === 0) {
        const restored = await this.#parts.restore();
        if (!restored.ok) return this.#refuseOrDoubt(intent, asked, restored.error);
      }
    }
    return this.#refuse(intent, asked, last, null);
  }

  #call(intent: Intent, asked: Asked): Promise<Result<{ answer: EngineAnswer }>> {
    const { meta, engine } = this.#parts;
    const common = { expectedHead: meta.head, actor: intent.actor };
    if (asked.kind === "batch") return engine().apply(meta.workspaceId, { batch: intent.payload, ...common });
    const { requester, reason } = asked.facts;
    return engine().revert(meta.workspaceId, {
      target: asked.target,
      batchId: intent.batchId,
      requester,
      reason,
      ...common,
    });
  }

  /**
   * One batch that the engine can never settle must not hold up its workspace for good. Where the engine answers, its log
   * is level with the record, and the batch is not in it, the batch is refused: nothing of it was written. True where it
   * is out of the queue. Calls without an answer are never given up: they may still land.
   */
  async #gaveUp(intent: Intent, doubt: VibeError): Promise<boolean> {
    const { intents, logger } = this.#parts;
    if (UNANSWERED.has(doubt.code) || doubt.nothingWritten === false) return false;
    try {
      const level = await this.#parts.restore();
      if (!level.ok) return false;
      const found = intents.find(intent.batchId);
      if (found && "settled" in found) {
        this.#answer(intent.batchId, this.answerOf(intent.batchId, found.settled));
        return true;
      }
      const message = `given up, its log does not hold the batch: ${doubt.message}`;
      this.#refuse(intent, this.#askedAsStored(intent), { ...doubt, message, nothingWritten: true }, null);
      logger.error("a batch was given up", { batchId: intent.batchId, code: doubt.code, reason: doubt.message });
      return true;
    } catch (error) {
      logger.error("a batch could not be given up", { batchId: intent.batchId, error });
      return false;
    }
  }

  /** What an intent asked for; where its payload cannot be read any more, what its events say of it. */
  #askedAsStored(intent: Intent): Pick<Asked, "facts" | "patches"> {
    try {
      return askedOf(intent, this.#parts.meta.workspaceId);
    } catch (error) {
      this.#parts.logger.error("the payload of a batch cannot be read", { batchId: intent.batchId, error });
      const { batchId, actor } = intent;
      const records = this.#parts.chain.ofBatch(batchId);
      const first = records[0];
      const words = { requester: "", reason: "", phase: null, branch: null };
      return {
        facts: { batchId, actor, ...words, orderId: first?.order_id ?? null, projectId: first?.project_id ?? null },
        patches: records.flatMap(({ patch_id: patchId, file, op, task_id: taskId }) =>
          patchId === null ? [] : [{ patchId, file: file ?? "", op: op ?? "", taskId, provider: null, model: null }],
        ),
      };
    }
  }

  /** An engine out of reach leaves the batch in doubt: an earlier attempt may have landed. Anything else refuses it. */
  #refuseOrDoubt(intent: Intent, asked: Asked, error: VibeError): VibeError | null {
    return error.code === "ENGINE_UNAVAILABLE" || error.code === "ENGINE_TIMEOUT" || error.nothingWritten !== true
      ? { ...error, nothingWritten: null }
      : this.#refuse(intent, asked, error, null);
  }

  #refuse(
    intent: Intent,
    asked: Pick<Asked, "facts" | "patches">,
    error: VibeError,
    answer: EngineAnswer | null,
  ): null {
    const { meta, chain, intents, commit, now } = this.#parts;
    const { workspaceId, head } = meta;
    const refusal = commit(() => {
      const drafts = failedDrafts(asked.facts, asked.patches, error, answer?.outcome ?? null, now().toISOString());
      const results = chain.append(drafts).map(eventOf);
      const outcome =
        answer?.outcome ?? outcomeWithoutEntry(workspaceId, intent.batchId, head, asked.patches, "failed", error);
      const refused: ApplyResult = { ok: false, error, outcome, results };
      if (error.retryable) intents.forget(intent.batchId);
      else intents.settleByRefusal(intent.batchId, refused);
      return refused;
    });
    this.#answer(intent.batchId, refusal);
    return null;
  }

  #appliedAnswer(entry: LogEntry): ApplyResult {
    const { meta, chain } = this.#parts;
    const word = entry.kind === "batch" ? PatchEvents.PATCH_APPLIED : PatchEvents.PATCH_REVERTED;
    const first = new Map(
      chain
        .ofBatch(entry.batchId)
        .filter((record) => record.event_type === word && record.log?.seq === entry.seq)
        .toReversed()
        .map((record) => [record.patch_id, record]),
    );
    return {
      ok: true,
      outcome: outcomeOfEntry(meta.workspaceId, entry),
      results: [...first.values()].toReversed().map(eventOf),
    };
  }

  #answer(batchId: string, answer: ApplyResult): void {
    this.#asked.delete(batchId);
    this.#waiting.get(batchId)?.resolve(answer);
    this.#waiting.delete(batchId);
  }

  /** Nobody waits for an engine that is out of reach: every caller is told that the outcome is not known yet. */
  #answerAllPending(error: VibeError): void {
    const { meta, intents, chain } = this.#parts;
    for (const batchId of this.#waiting.keys()) {
      const found = intents.find(batchId);
      if (!found) continue;
      if ("settled" in found) {
        this.#answer(batchId, this.answerOf(batchId, found.settled));
        continue;
      }
      const { patches } = this.#askedAsStored(found.queued);
      const outcome = outcomeWithoutEntry(meta.workspaceId, batchId, meta.head, patches, "pending", error);
      const results = chain.ofBatch(batchId).map(eventOf);
      this.#answer(batchId, { ok: false, error: { ...error, nothingWritten: null }, outcome, results });
    }
  }
}
