import { DurableObject } from "cloudflare:workers";
import type { ProviderName } from "@shared/contracts";
import { ProviderLedger } from "./provider-state/ProviderLedger.ts";
import type {
  Health,
  ProviderBounds,
  ProviderStanding,
  ProviderStateRpc,
  Reservation,
  Reserved,
  Settlement,
} from "./provider-state/rpc.ts";
import { TABLES } from "./provider-state/tables.ts";

/**
 * What all executions share: each provider's breaker, its places, and the budgets of orders and days. One object,
 * `providers`; every call is one transaction, so of two that race for the last place one gets it. Nothing is kept in
 * memory alone. The alarm gives back what attempts hold that were never settled.
 */
export class ProviderState extends DurableObject<Env> implements ProviderStateRpc {
  now = (): number => Date.now();

  readonly #ledger: ProviderLedger;
  /** When the stored alarm fires, as far as this instance knows; undefined: it does not. */
  #armedFor: number | null | undefined;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    ctx.storage.sql.exec(TABLES);
    this.#ledger = new ProviderLedger(ctx.storage.sql, () => this.now());
  }

  reserve(reservation: Reservation): Promise<Reserved> {
    return this.#do(() => this.#ledger.reserve(reservation));
  }

  settle(settlement: Settlement): Promise<void> {
    return this.#do(() => this.#ledger.settle(settlement));
  }

  status(bounds: readonly ProviderBounds[] = []): Promise<ProviderStanding[]> {
    return this.#do(() => {
      for (const bound of bounds) this.#ledger.bound(bound);
      return this.#ledger.standings();
    });
  }

  recordHealth(provider: ProviderName, health: Health): Promise<void> {
    return this.#do(() => this.#ledger.recordHealth(provider, health));
  }

  keyFingerprint(provider: ProviderName, fingerprint: string): Promise<void> {
    return this.#do(() => this.#ledger.keyFingerprint(provider, fingerprint));
  }

  orderSpend(orderId: string): Promise<{ spent: number; reserved: number }> {
    return this.#do(() => this.#ledger.orderSpend(orderId));
  }

  override async alarm(): Promise<void> {
    this.#armedFor = undefined;
    await this.#do(() => this.#ledger.expire());
  }

  /** One transaction, and the alarm set in the same turn for what may be left behind. */
  async #do<T>(work: () => T): Promise<T> {
    const { storage } = this.ctx;
    const [answer, next] = storage.transactionSync(() => [work(), this.#ledger.nextExpiry()] as const);
    // In one turn with the transaction: what is stored without its alarm would never be given back.
    if (next !== this.#armedFor) {
      this.#armedFor = next;
      await (next === null ? storage.deleteAlarm() : storage.setAlarm(next));
    }
    return answer;
  }
}
