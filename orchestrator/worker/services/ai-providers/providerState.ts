import type { AttemptClass, ProviderName, Usage } from "@shared/contracts";

/** A place and money for one attempt, asked for before it starts. */
export interface Reservation {
  executionId: string;
  attempt: number;
  provider: ProviderName;
  orderId: string | null;
  costUsd: number;
  units: number;
  /** What the attempt's order may cost altogether; null: no limit of its own. */
  maxOrderUsd: number | null;
}
export type Reserved =
  | { ok: true }
  | { ok: false; code: "PROVIDER_UNAVAILABLE" | "BUDGET_EXCEEDED"; why: string; until: string | null };

export interface Settlement {
  executionId: string;
  attempt: number;
  provider: ProviderName;
  class: AttemptClass;
  retryAfterMs: number | null;
  usage: Usage;
  /** Null: not known. */
  costUsd: number | null;
  /** For people. */
  message?: string;
}

/** What executions ask of the object that keeps breakers, places and budgets. Both are idempotent by their attempt. */
export interface ProviderStateRpc {
  reserve(reservation: Reservation): Promise<Reserved>;
  /** Frees the place, books the cost once, moves the breaker. */
  settle(settlement: Settlement): Promise<void>;
}
