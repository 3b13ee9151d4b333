import {
  type Assignment,
  type AttemptClass,
  type Decision,
  fail,
  type HilRequest,
  type PatchOperationInput,
  type ProviderDefinition,
  type ProviderName,
  type ProviderStatus,
  type Result,
  type TaskType,
} from "@shared/contracts";
import type { ServiceContext } from "../../../context.ts";
import { cancelHilRequests } from "../../hil/cancelHilRequests.ts";
import { createHilRequest } from "../../hil/createHilRequest.ts";
import { cliAgentService } from "../cli/cliAgentService.ts";
import type { ProviderChange, ProviderDriver } from "../driver.ts";
import type { ProviderStateRpc } from "../providerState.ts";

/** What executions are made of that stands elsewhere: who may work, how each is spoken to, and how people are asked. */
export interface ExecutionParts {
  /** The provider as this deployment configures it; null: it is not known or switched off. */
  definitionOf(ctx: ServiceContext, provider: ProviderName): Promise<ProviderDefinition | null>;
  /** Null: nothing here speaks to such a provider. */
  driverOf(provider: ProviderDefinition): ProviderDriver | null;
  providerState(env: Env): ProviderStateRpc;
  assignProvider(
    ctx: ServiceContext,
    input: { taskId: string; preferredProvider?: ProviderName },
  ): Promise<Result<{ assignment: Assignment; decision: Decision }>>;
  getProviderStatus(ctx: ServiceContext, input: { provider: string }): Promise<Result<{ status: ProviderStatus }>>;
  listAvailableProviders(
    ctx: ServiceContext,
    input: { taskId: string },
  ): Promise<Result<{ providers: ProviderStatus[] }>>;
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

/** Where the object of all providers is bound. */
type StateEnv = Env & { PROVIDER_STATE?: { getByName(name: string): ProviderStateRpc } };

const UNROUTED = fail("PROVIDER_UNAVAILABLE", "this deployment assigns no providers");

export const PARTS: ExecutionParts = {
  definitionOf: async () => null,
  driverOf: ({ type }) => (type === "cli" ? cliAgentService : null),
  providerState: ({ PROVIDER_STATE }: StateEnv) => {
    if (!PROVIDER_STATE) throw new Error("PROVIDER_STATE is not bound");
    return PROVIDER_STATE.getByName("providers");
  },
  assignProvider: async () => UNROUTED,
  getProviderStatus: async () => UNROUTED,
  listAvailableProviders: async () => UNROUTED,
  recordOutcome: async () => undefined,
  importChange: async (_, { change }) =>
    fail("IMPORT_INVALID", `a change in the form ${change.format} is not read here`),
  createHilRequest,
  cancelHilRequests,
};
