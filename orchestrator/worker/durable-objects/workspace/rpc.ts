import type {
  ApplyResult,
  CustodyRecord,
  LogEntry,
  PatchEvent,
  ReplayBatch,
  ReplayFile,
  ReplayTree,
  Result,
  TasksFile,
  WorkspaceInfo,
  WorkspaceSource,
} from "@shared/contracts";
import { z } from "zod";
import type { ChainHead, Draft } from "./Chain.ts";
import type { Intent } from "./Intents.ts";
import type { Reported } from "./report.ts";
import type { Verdict } from "./verdict.ts";

/** Answered by the object of an order that works in another workspace: ask there. */
export interface Moved {
  movedTo: string;
}

/**
 * What the object of a workspace answers to. Every call that writes is idempotent, so a caller whose object was reset in
 * the middle asks again. The first argument names the workspace, since an object does not know by which name it was found.
 */
export interface WorkspaceRpc {
  /** Opens the workspace at the engine, or answers with the one already open from this source. */
  open(workspaceId: string, source: WorkspaceSource): Promise<Result<{ workspace: WorkspaceInfo }> | Moved>;
  /** Brings engine and record to the same log, rebuilding the workspace where the engine has lost it. */
  restore(workspaceId: string): Promise<Result<{ workspace: WorkspaceInfo }> | Moved>;
  /** Takes a batch or revert through the queue. Answers when its outcome is stored, or with `pending` in doubt. */
  submit(workspaceId: string, intent: Intent): Promise<ApplyResult | Moved>;
  /** Appends a phase message to the chain. Not idempotent: each call is a message. */
  publish(workspaceId: string, draft: Draft): Promise<{ seq: number } | Moved>;
  /** Takes in what an engine that stood alone reports. Known events and entries change nothing. */
  record(workspaceId: string, reported: Reported): Promise<Result<{ recorded: number; known: number }> | Moved>;
  /** Writes down what the workspace's own check said of an applied batch. */
  recordVerdict(workspaceId: string, verdict: Verdict): Promise<Result<{ results: PatchEvent[] }>>;
  /** Keeps what the workspace's tasks may touch, so that a rebuilt workspace has it, and writes it at the engine. */
  writeTasks(workspaceId: string, tasks: TasksFile): Promise<Result<object> | Moved>;
  /** Makes this order's object send its callers to another workspace. CONFLICT where it works elsewhere already. */
  setAlias(workspaceId: string): Promise<Result<object>>;
  alias(): Promise<string | null>;
  /** The chain after `seq`, oldest first, at most 1,000 records. */
  events(after: number, limit: number): Promise<{ records: CustodyRecord[]; head: ChainHead }>;
  /** An order's own links of the chain after `seq`, oldest first, at most 1,000. */
  eventsOfOrder(orderId: string, after: number, limit: number): Promise<{ records: CustodyRecord[]; head: ChainHead }>;
  eventsOfPatch(patchId: string): Promise<CustodyRecord[]>;
  entry(seq: number): Promise<LogEntry | null>;
  /** Takes a turn at making the log ready for replay. True once it is: ask until then. */
  indexReplay(): Promise<boolean>;
  /** An order's batches after `seq`, at most `limit` of them, and the log's last entry. */
  replayBatches(orderId: string, after: number, limit: number): Promise<{ batches: ReplayBatch[]; head: number }>;
  /** The tree after entry `seq`; 0: the source. A page of it, after that path. */
  replayTree(seq: number, after: string | null): Promise<Result<ReplayTree>>;
  replayFile(seq: number, path: string): Promise<Result<ReplayFile>>;
  /** Recomputes the custody chain and the engine log on record. `delivered` is how far DB_OPS has got. */
  verify(): Promise<Result<{ head: ChainHead; entries: number; delivered: number }>>;
  /** Delivers the whole chain to DB_OPS again, after its rows there were removed. Answers with how far it got. */
  redeliver(): Promise<{ seq: number }>;
}

/** The binding's generated type derives every method's answer anew and does not come to an end; the class implements this. */
const StubSchema = z.custom<WorkspaceRpc>((stub) => stub instanceof Object);

export const workspaceObject = (env: Pick<Env, "WORKSPACE">, name: string): WorkspaceRpc =>
  StubSchema.parse(env.WORKSPACE.getByName(name));
