import type { AttemptClass, ProviderName } from "@shared/contracts";
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { ProviderStateRpc, Reservation, Settlement } from "../../worker/durable-objects/provider-state/rpc.ts";
import type { ProviderState } from "../../worker/durable-objects/ProviderState.ts";

/** In the future, so that no alarm of the object is due by itself. */
export const NOON = Date.parse("2126-03-01T12:00:00.000Z");

/** An object of its own with a clock that the test moves. */
export class Providers {
  readonly #name = crypto.randomUUID();
  at = NOON;

  /** Runs code inside the object, on the test's clock. */
  inside<T>(work: (instance: ProviderState, state: DurableObjectState) => T | Promise<T>): Promise<T> {
    return runInDurableObject<ProviderState, T>(
      env.PROVIDER_STATE.getByName(this.#name) as never,
      (instance, state) => {
        instance.now = () => this.at;
        return work(instance, state);
      },
    );
  }

  call<T>(work: (state: ProviderStateRpc) => Promise<T>): Promise<T> {
    return this.inside((instance) => work(instance));
  }

  reserve(executionId: string, more: Partial<Reservation> = {}) {
    return this.call((state) => state.reserve(reservation(executionId, more)));
  }

  settle(executionId: string, ended: AttemptClass, more: Partial<Settlement> = {}) {
    return this.call((state) => state.settle(settlement(executionId, ended, more)));
  }

  /** An attempt from its reservation to its end. */
  async attempt(executionId: string, ended: AttemptClass, more: Partial<Settlement> = {}) {
    const { provider = "claude" } = more;
    const reserved = await this.reserve(executionId, { provider });
    if (reserved.ok) await this.settle(executionId, ended, more);
    return reserved;
  }

  async of(provider: ProviderName) {
    const found = (await this.call((state) => state.status())).find((one) => one.provider === provider);
    if (!found) throw new Error(`no ${provider}`);
    return found;
  }

  /** Kills the object at once; what it has answered is stored. */
  async abort(): Promise<void> {
    await this.inside((_, state) => state.abort("killed by the test")).catch(() => undefined);
  }

  /** Fires the alarm, as the platform would when it is due. */
  ring(): Promise<void> {
    return this.inside((instance) => instance.alarm());
  }
}

export const reservation = (executionId: string, more: Partial<Reservation> = {}): Reservation => ({
  executionId,
  attempt: 1,
  provider: "claude",
  orderId: "ORD-1",
  costUsd: 1,
  units: 0,
  maxOrderUsd: null,
  ...more,
});

export const settlement = (executionId: string, ended: AttemptClass, more: Partial<Settlement> = {}): Settlement => ({
  executionId,
  attempt: 1,
  provider: "claude",
  class: ended,
  retryAfterMs: null,
  usage: null,
  costUsd: 0.5,
  ...more,
});
