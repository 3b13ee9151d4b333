import type { FactoryName, FactoryRpc, FulfilPhaseInput, Json, JsonObject, Order, Task } from "@shared/contracts";

/** What a factory's tests steer the recording orchestrator by. */
export interface OrchestratorControl {
  /** Forgets everything, and takes the order, its tasks, the workspace's files, and answers that go before the usual ones. */
  begin(state: {
    order: Order;
    tasks?: Task[];
    files?: Record<string, string>;
    answers?: Record<string, Json[]>;
  }): Promise<void>;
  calls(): Promise<RecordedCall[]>;
  /** What was written to the operation log. It comes after the answer of the work that it is about. */
  lines(): Promise<JsonObject[]>;
}

export interface RecordedCall {
  method: string;
  caller: string;
  input: JsonObject;
}

/** The factory under test as the orchestrator binds it: with itself as the caller. */
export type BoundFactory = (options: { props: { caller: string } }) => FactoryRpc;

const AT = "2026-01-01T00:00:00.000Z";

/** An order as received, for one factory. */
export const orderFor = (factory: FactoryName, more: Partial<Record<keyof Order, Json>> = {}): Order =>
  JSON.parse(
    JSON.stringify({
      id: "ORD-1",
      project_id: null,
      title: "An order",
      description: "",
      factory,
      status: "received",
      workspace_id: "order:ORD-1",
      created_by: "test",
      created_at: AT,
      updated_at: AT,
      ...more,
    }),
  );

export const taskOf = (id: string): Task =>
  JSON.parse(
    JSON.stringify({
      id,
      order_id: "ORD-1",
      title: id,
      type: "generate",
      status: "pending",
      allowed: [{ files: "**" }],
      max_changed_lines: null,
      created_at: AT,
      updated_at: AT,
    }),
  );

/** A phase of `ORD-1`; `files` maps a path to its generated contents. */
export const phaseOf = (
  files: Record<string, string>,
  more: Omit<Partial<FulfilPhaseInput>, "implementation"> = {},
): FulfilPhaseInput => ({
  orderId: "ORD-1",
  phase: "tools",
  batchId: "B-1",
  implementation: {
    files: Object.entries(files).map(([filePath, fileContents]) => ({ filePath, fileContents, filePurpose: "code" })),
    deploymentNeeded: false,
    commands: [],
  },
  ...more,
});

export const messagesOf = (calls: readonly RecordedCall[]): Json[] =>
  calls.filter(({ method }) => method === "reportPhase").map(({ input }) => input.type ?? null);

export const batchesOf = (calls: readonly RecordedCall[]): JsonObject[] =>
  calls.filter(({ method }) => method === "applyPatches").map(({ input }) => input);
export * from "./clocks.ts";
