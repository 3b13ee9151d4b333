import { Refusal, type Principal, type World } from "./world.ts";

/** The two kinds of limit GitHub keeps, per credential. Counts of requests; a window is an hour, of search a minute. */

export interface LimitSettings {
  core: number;
  search: number;
  /** Without a token, by address. */
  anonymous: number;
  /** Requests of one credential under way at once. */
  concurrent: number;
  /** Requests that make content, a minute. */
  contentPerMinute: number;
}
const REAL_LIMITS: LimitSettings = {
  core: 5_000,
  search: 30,
  anonymous: 60,
  concurrent: 100,
  contentPerMinute: 80,
};

export type Resource = "core" | "search";

interface Window {
  used: number;
  /** Seconds since 1970. */
  reset: number;
}

const WINDOW_SECONDS: Record<Resource, number> = { core: 3_600, search: 60 };

export class Limits {
  settings: LimitSettings = { ...REAL_LIMITS };
  readonly #world: World;
  readonly #windows = new Map<string, Window>();
  readonly #underWay = new Map<string, number>();
  readonly #made = new Map<string, number[]>();

  constructor(world: World) {
    this.#world = world;
  }

  /** The headers every answer carries. */
  headers(principal: Principal | null, resource: Resource): Record<string, string> {
    const { used, reset } = this.#window(principal, resource);
    const limit = this.#limit(principal, resource);
    return {
      date: new Date(this.#world.now()).toUTCString(),
      "x-ratelimit-limit": String(limit),
      "x-ratelimit-remaining": String(Math.max(0, limit - used)),
      "x-ratelimit-reset": String(reset),
      "x-ratelimit-used": String(used),
      "x-ratelimit-resource": resource,
    };
  }

  /** Counts a request; throws where it is one too many. */
  count(principal: Principal | null, resource: Resource): void {
    const window = this.#window(principal, resource);
    if (window.used >= this.#limit(principal, resource)) {
      const who = principal === null ? "127.0.0.1" : `${principal.kind} ID ${principal.login}`;
      throw new Refusal(403, `API rate limit exceeded for ${who}.`);
    }
    window.used += 1;
  }

  /** What a 304 gives back. */
  uncount(principal: Principal | null, resource: Resource): void {
    this.#window(principal, resource).used -= 1;
  }

  enter(principal: Principal | null): void {
    const key = keyOf(principal);
    const running = this.#underWay.get(key) ?? 0;
    if (running >= this.settings.concurrent) throw secondaryLimit(60);
    this.#underWay.set(key, running + 1);
  }

  leave(principal: Principal | null): void {
    const key = keyOf(principal);
    this.#underWay.set(key, (this.#underWay.get(key) ?? 1) - 1);
  }

  makesContent(principal: Principal | null): void {
    const key = keyOf(principal);
    const since = this.#world.now() - 60_000;
    const recent = (this.#made.get(key) ?? []).filter((at) => at > since);
    this.#made.set(key, recent);
    const [oldest = since] = recent;
    if (recent.length >= this.settings.contentPerMinute) throw secondaryLimit(Math.ceil((oldest - since) / 1000));
    recent.push(this.#world.now());
  }

  #limit(principal: Principal | null, resource: Resource): number {
    if (resource === "search") return this.settings.search;
    return principal === null ? this.settings.anonymous : this.settings.core;
  }

  #window(principal: Principal | null, resource: Resource): Window {
    const key = `${keyOf(principal)} ${resource}`;
    const now = Math.floor(this.#world.now() / 1000);
    const window = this.#windows.get(key);
    if (window && window.reset > now) return window;
    const fresh = { used: 0, reset: now + WINDOW_SECONDS[resource] };
    this.#windows.set(key, fresh);
    return fresh;
  }
}

/** An installation's tokens share its limit. */
const keyOf = (principal: Principal | null): string => principal?.login ?? "";

export const secondaryLimit = (retryAfterSeconds: number | null): Refusal =>
  new Refusal(
    403,
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
    {},
    retryAfterSeconds === null ? {} : { "retry-after": String(retryAfterSeconds) },
  );
