import {
  type Assignment,
  type AttemptClass,
  type Decision,
  type HilRequest,
  type PatchOperationInput,
  type ProviderDefinition,
  type ProviderName,
  type Result,
  type TaskType,
} from "@shared/contracts";
import type { ServiceContext } from "../../../context.ts";
import { cancelHilRequests } from "../../hil/cancelHilRequests.ts";
import { createHilRequest } from "../../hil/createHilRequest.ts";
import { type ProviderStateRpc, providerState } from "../../../durable-objects/provider-state/rpc.ts";
import type { ProviderChange, ProviderDriver } from "../driver.ts";
import { DRIVERS } from "../drivers.ts";
import { importChange } from "../importChange.ts";
import { recordOutcome } from "../recordOutcome.ts";
import { definitionOf } from "../registry.ts";
import { assignProvider } from "../router.ts";

/** What executions are made of that stands elsewhere: who may work, how each is spoken to, and how people are asked. */
export interface ExecutionParts {
  /** The provider as this deployment configures it; null: it is not known or switched off. */
  definitionOf(ctx: ServiceContext, provider: ProviderName): Promise<ProviderDefinition | null>;
  /** Null: nothing here speaks to such a provider. */
  driverOf(provider: ProviderDefinition): ProviderDriver | null;
  providerState(env: Env): Pick<ProviderStateRpc, "reserve" | "settle">;
  assignProvider(
    ctx: ServiceContext,
    input: { taskId: string; preferredProvider?: ProviderName },
  ): Promise<Result<{ assignment: Assignment; decision: Decision }>>;
  /** Tells the router how an attempt ended. Told twice, it is one outcome. */
  recordOutcome(
    ctx: ServiceContext,
    outcome: {
      executionId: string;
      attempt: number;
      type: TaskType;
      language: string;
      provider: ProviderName;
      model: string;
      class: AttemptClass;
      at: string;
    },
  ): Promise<void>;
  /** A change that is no unified diff, as operations on the workspace as it stands. */
  importChange(
    ctx: ServiceContext,
    input: { workspaceId: string; change: ProviderChange },
  ): Promise<Result<{ patches: PatchOperationInput[] }>>;
  createHilRequest(
    ctx: ServiceContext,
    input: {
      id: string;
      kind: HilRequest["kind"];
      question: string;
      options: string[];
      executionId: string;
      expiresInSeconds: number;
    },
  ): Promise<Result<{ request: HilRequest }>>;
  cancelHilRequests(ctx: ServiceContext, input: { executionId: string }): Promise<Result<object>>;
}

export const PARTS: ExecutionParts = {
  definitionOf,
  driverOf: ({ type }) => DRIVERS[type],
  providerState,
  assignProvider,
  recordOutcome,
  importChange,
  createHilRequest,
  cancelHilRequests,
};
