import { z } from "zod";
import type {
  Assignment,
  Decision,
  ExecuteTaskInput,
  Execution,
  ExecutionDetail,
  ProviderStatus,
} from "./aiProviders.ts";
import type { ProviderName } from "./routing.ts";
import type { Failed, Result } from "./errors.ts";
import type {
  FileMarkers,
  MarkerCoordinates,
  RevertTarget,
  WorkspaceFile,
  WorkspaceInfo,
  WorkspaceSource,
} from "./engine.ts";
import type { Json, JsonObject } from "./json.ts";
import type { LogsWritten, OperationEntryInput } from "./logging.ts";
import type { PhaseMessageType, RequestMessageType } from "./messages.ts";
import type { OpsScanned, OpsScope } from "./ops.ts";
import type { FulfilPhaseInput, Order, OrderStatus, Task, TaskStatus } from "./orders.ts";
import type { BatchOutcome, CheckOutcome } from "./outcome.ts";
import type { CustodyRecord } from "./custody.ts";
import type { PatchBatchInput, PatchEvent } from "./patch.ts";

/**
 * The RPC classes Workers reach each other by. A factory types its binding by the interface here, never by the class:
 * `Omit<Env, "ORCHESTRATOR_PATCH"> & { ORCHESTRATOR_PATCH: PatchOpsRpc }`. No method throws for what a caller can act on.
 */

/** `results` is one event a patch, in the batch's order; a refused batch has both too, where it got so far. */
export type ApplyResult =
  | { ok: true; outcome: BatchOutcome; results: PatchEvent[] }
  | (Failed & { outcome?: BatchOutcome; results?: PatchEvent[] });

export interface OpenWorkspaceInput {
  workspaceId?: string;
  orderId?: string;
  projectId?: string;
  branch?: string;
  source: WorkspaceSource;
}

export interface PatchOpsRpc {
  /** Opens a workspace, or answers with the one already open from this source. */
  openWorkspace(input: OpenWorkspaceInput): Promise<Result<{ workspace: WorkspaceInfo }>>;
  readFile(input: { workspaceId: string; file: string }): Promise<Result<{ file: WorkspaceFile }>>;
  /** The markers of the named files, and where content generated for each belongs. */
  resolveMarkers(input: {
    workspaceId: string;
    files: string[];
  }): Promise<Result<{ files: (FileMarkers & { coordinates: MarkerCoordinates })[] }>>;
  applyPatches(batch: PatchBatchInput): Promise<ApplyResult>;
  simulatePatches(batch: PatchBatchInput): Promise<ApplyResult>;
  /** Runs the workspace's own check command on what an applied batch left, and records the verdict on its patches. */
  validateBatch(input: {
    workspaceId?: string;
    batchId: string;
  }): Promise<Result<{ checks: CheckOutcome[]; results: PatchEvent[] }>>;
  revert(input: {
    workspaceId?: string;
    orderId?: string;
    target: RevertTarget;
    batchId?: string;
    requester?: string;
    reason?: string;
  }): Promise<ApplyResult>;
  getPatch(input: {
    patchId: string;
  }): Promise<Result<{ patch: PatchEvent; events: CustodyRecord[]; diff: string | null }>>;
  /** Takes events from an engine that stood alone. Known ones change nothing. */
  recordEvents(input: {
    workspaceId?: string;
    orderId?: string;
    events: PatchEvent[];
    entries?: Json[];
  }): Promise<Result<{ recorded: number; known: number }>>;
}

export interface ReportPhaseInput {
  type: PhaseMessageType;
  orderId?: string;
  workspaceId?: string;
  projectId?: string;
  phase?: string;
  message?: string;
  data?: JsonObject;
}

export interface FactoryOpsRpc {
  /** Publishes a phase message: a link in the order's custody chain, a row in D1, a message in its rooms. */
  reportPhase(input: ReportPhaseInput): Promise<Result<{ seq: number }>>;
  getOrder(input: { orderId: string }): Promise<Result<{ order: Order; tasks: Task[] }>>;
  setOrderStatus(input: { orderId: string; status: OrderStatus; reason?: string }): Promise<Result<{ order: Order }>>;
  setTaskStatus(input: { taskId: string; status: TaskStatus; reason?: string }): Promise<Result<{ task: Task }>>;
}

export interface AIProviderOpsRpc {
  /** Gives the task to a provider: by its rules and score, or to the one that is asked for where its rules allow. */
  assignProvider(
    taskId: string,
    preferredProvider?: ProviderName,
  ): Promise<Result<{ assignment: Assignment; decision: Decision }>>;
  /** Queues the task's execution. The same `executionId` again answers with the one there is. */
  executeTask(
    taskId: string,
    provider?: ProviderName,
    options?: Omit<ExecuteTaskInput, "taskId" | "provider">,
  ): Promise<Result<{ execution: Execution }>>;
  getProviderStatus(providerName: ProviderName): Promise<Result<{ status: ProviderStatus }>>;
  /** Those whose rules the task keeps, best first. */
  listAvailableProviders(taskId: string): Promise<Result<{ providers: ProviderStatus[] }>>;
  /** An execution that has ended is answered as it ended. */
  cancelExecution(executionId: string, reason?: string): Promise<Result<{ execution: Execution }>>;
  getExecution(executionId: string): Promise<Result<{ execution: ExecutionDetail }>>;
}

export interface LoggingOpsRpc {
  /**
   * Writes lines under the caller's name, redacted: 100 at once at most. `dropped` are those over what it may write a
   * minute; they are not an error, since no work should fail for its log. No lines at all are none written.
   */
  write(input: { entries: OperationEntryInput[] }): Promise<Result<LogsWritten>>;
}

export interface OpsScanRpc {
  /** Reads what was logged since the last scan, groups it and files it. CONFLICT while a scan runs. */
  scan(scope?: OpsScope): Promise<Result<OpsScanned>>;
}

export interface FactoryRequest {
  type: RequestMessageType;
  orderId: string;
  requestId: string;
  actor: string;
  payload: JsonObject;
}

/** What every factory Worker answers to. */
export interface FactoryRpc {
  /** Turns a phase's generated code into a patch batch, ships it, reports each step, answers with the outcome. */
  fulfilPhase(input: FulfilPhaseInput): Promise<ApplyResult>;
  /** A request from a socket. A type the factory has no use for is answered with UNKNOWN_REQUEST. */
  handleRequest(request: FactoryRequest): Promise<Result<{ data: JsonObject }>>;
}

/** What a service binding's `props` say of the Worker that holds it. */
export const CallerPropsSchema = z.object({ caller: z.string().min(1).max(100) });
export type CallerProps = z.infer<typeof CallerPropsSchema>;
