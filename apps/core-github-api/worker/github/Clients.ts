import type { GithubConfig } from "../config.ts";
import { GithubClient } from "./GithubClient.ts";
import type { Clock, Pace } from "./RateLimits.ts";

/** More than these are never in use at once: a deployment has one credential, and for a while the one before. */
const MAX_CLIENTS = 8;

/**
 * The client of each credential and address. Cache, limits and tokens belong to a credential: another one sees none of
 * it. They live as long as the isolate.
 */
export class Clients {
  readonly #clients = new Map<string, GithubClient>();
  readonly #parts: { clock: Clock; pace?: Pace };

  constructor(parts: { clock: Clock; pace?: Pace }) {
    this.#parts = parts;
  }

  of(config: GithubConfig, secrets: readonly string[]): GithubClient {
    const key = JSON.stringify([config.apiUrl, config.credential]);
    const known = this.#clients.get(key);
    if (known) return known;
    const client = new GithubClient({ ...this.#parts, config, secrets });
    this.#clients.set(key, client);
    for (const oldest of this.#clients.keys()) {
      if (this.#clients.size <= MAX_CLIENTS) break;
      this.#clients.delete(oldest);
    }
    return client;
  }
}
