import { fail, type Failed, type Finding, type Result } from "@shared/contracts";
import { type Logger, redactor } from "@shared/worker-kit";
import { Octokit } from "@octokit/core";
import { RequestError } from "@octokit/request-error";
import { z } from "zod";
import { EtagCache } from "./EtagCache.ts";
import { boundedFetch, TooLarge } from "./boundedFetch.ts";
import { type Clock, PACE, type Pace, RateLimits, type Resource } from "./RateLimits.ts";
import { type AskAsApp, type Minted, Tokens } from "./Tokens.ts";
import type { GithubConfig } from "../config.ts";
import { UserOfGithub } from "../shapes.ts";

/** Milliseconds for all attempts at one answer together. */
const TOTAL_MS = 25_000;
/** Waits before a reading request is tried again, where GitHub failed or was not there. */
const BACKOFF_MS = [250, 1_000];
const API_VERSION = "2022-11-28";
const MAX_MESSAGE = 300;

const nothing = () => undefined;

export interface Ask {
  /** `GET /repos/{owner}/{repo}`: its parameters are percent-encoded into it. */
  route: string;
  parameters?: Record<string, unknown>;
  /** A pull request's diff instead of JSON; or where the answer redirects to, as a text, without going there. */
  format?: "diff" | "link";
  resource?: Resource;
  /** Changes something, but twice is as good as once. */
  repeatable?: boolean;
}

export interface Answered {
  data: unknown;
  /** The Link header. */
  link: string | null;
}

export interface ClientParts {
  config: GithubConfig;
  clock: Clock;
  secrets: readonly string[];
  pace?: Pace;
}

/**
 * GitHub's REST API with one credential: conditional requests, GitHub's limits kept, bounded waits, retries of what
 * only reads. What changes something is sent once, and again only where GitHub said that it did nothing.
 */
export class GithubClient {
  readonly #octokit: Octokit;
  readonly #tokens: Tokens;
  readonly #limits: RateLimits;
  readonly #cache = new EtagCache();
  readonly #clock: Clock;
  readonly #attemptMs: number;
  readonly #isApp: boolean;
  #login: string | null = null;
  readonly #redact: (text: string) => string;

  constructor({ config, clock, secrets, pace = PACE }: ClientParts) {
    this.#octokit = new Octokit({
      baseUrl: config.apiUrl,
      userAgent: "vibehq-core-github-api",
      // What happens is said once, by this class.
      log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
    });
    this.#clock = clock;
    this.#tokens = new Tokens(config.credential, clock);
    this.#isApp = config.credential.kind === "app";
    this.#limits = new RateLimits(clock, pace);
    this.#attemptMs = pace.attemptMs;
    this.#redact = redactor(secrets);
  }

  /** Errors: NOT_FOUND, CONFLICT, RATE_LIMITED, UPSTREAM_REFUSED, UPSTREAM_UNAVAILABLE (of a change: in doubt). */
  async ask(ask: Ask, log: Logger): Promise<Result<Answered>> {
    const asApp = this.#askAsApp(log);
    return this.#persist(ask, log, () => this.#tokens.current(asApp));
  }

  /** The account that a token writes as, asked for once; null: an App has none. Errors: as `ask`. */
  async login(log: Logger): Promise<Result<{ login: string | null }>> {
    if (this.#isApp || this.#login !== null) return { ok: true, login: this.#login };
    const answer = await this.ask({ route: "GET /user" }, log);
    if (!answer.ok) return answer;
    const user = UserOfGithub.safeParse(answer.data);
    if (!user.success) return fail("UPSTREAM_REFUSED", "GitHub does not say whose token this is");
    this.#login = user.data.login;
    return { ok: true, login: this.#login };
  }

  /** A token of the App that does no more than `only` says. Errors: as `ask`. */
  mintFor(only: Record<string, unknown>, log: Logger): Promise<Result<{ minted: Minted }>> {
    return this.#tokens.mint(this.#askAsApp(log), only);
  }

  #askAsApp(log: Logger): AskAsApp {
    // A token too many does no harm.
    return (route, jwt, body) =>
      this.#persist({ route, parameters: body, repeatable: true }, log, async () => ({ ok: true, token: jwt }));
  }

  /** Tries until there is an answer, a refusal, or no more time; each reason to try again has its bound. */
  async #persist(ask: Ask, log: Logger, tokenOf: () => Promise<Result<{ token: string }>>): Promise<Result<Answered>> {
    const deadline = this.#clock.now() + TOTAL_MS;
    const tried = { renewed: false, waited: false, failures: 0 };
    for (;;) {
      const token = await tokenOf();
      if (!token.ok) return token;
      const attempt = await this.#attempt(ask, token.token, log);
      if (attempt.ok) return attempt;
      const { next, failed } = attempt;
      const pause = BACKOFF_MS[tried.failures];
      if (next.kind === "renew" && !tried.renewed && this.#tokens.refused(token.token)) {
        tried.renewed = true;
      } else if (next.kind === "wait" && !tried.waited && this.#limits.mayWaitFor(next.until)) {
        // The next attempt's `enter` waits for it.
        tried.waited = true;
      } else if (next.kind === "again" && pause !== undefined && this.#clock.now() + pause < deadline) {
        tried.failures += 1;
        await this.#clock.sleep(pause);
      } else {
        return failed;
      }
    }
  }

  async #attempt(ask: Ask, token: string, log: Logger): Promise<({ ok: true } & Answered) | Refused> {
    const { route, parameters = {}, format, resource = "core" } = ask;
    const reads = route.startsWith("GET ");
    const writes = !reads && ask.repeatable !== true;
    const entered = await this.#limits.enter(resource, { writes, lifeMs: this.#attemptMs + 1_000 });
    if (!("leave" in entered)) return stop(entered);
    const key = !reads ? null : JSON.stringify([route, parameters, format ?? ""]);
    const cached = key === null ? null : this.#cache.get(key);
    const signal = AbortSignal.timeout(this.#attemptMs);
    const seen = { bytes: 0 };
    try {
      const response = await this.#octokit.request(route, {
        ...parameters,
        ...(format === "diff" ? { mediaType: { format } } : {}),
        headers: {
          authorization: `Bearer ${token}`,
          "x-github-api-version": API_VERSION,
          ...(cached === null ? {} : { "if-none-match": cached.etag }),
        },
        request: { signal, fetch: boundedFetch(seen), redirect: "manual", log: this.#octokit.log },
      });
      this.#limits.note(response.status, response.headers);
      if (format === "link" && response.status === 302) {
        return { ok: true, data: response.headers.location, link: null };
      }
      if (response.status >= 300) {
        return stop(
          fail("UPSTREAM_REFUSED", "GitHub says that this has moved elsewhere: use the repository's present name"),
        );
      }
      const data: unknown = response.data;
      const { etag, link = null } = response.headers;
      if (key !== null && etag !== undefined) this.#cache.put(key, { etag, data, link, bytes: seen.bytes });
      return { ok: true, data, link };
    } catch (error) {
      if (error instanceof RequestError && error.response !== undefined) {
        const { status, headers, data } = error.response;
        const until = this.#limits.note(status, headers);
        if (format === "link" && status === 302) return { ok: true, data: headers.location, link: null };
        if (status === 304 && cached !== null) return { ok: true, data: cached.data, link: cached.link };
        return this.#refused({ status, data, until, writes }, log);
      }
      const cause = error instanceof Error ? (error.cause ?? error) : error;
      if (cause instanceof TooLarge) return stop(fail("UPSTREAM_REFUSED", cause.message));
      log.warn("GitHub did not answer", { route, timedOut: signal.aborted, error: cause });
      const why = signal.aborted
        ? `GitHub did not answer within ${this.#attemptMs} ms`
        : "the connection to GitHub broke";
      return this.#unavailable(why, writes);
    } finally {
      entered.leave();
    }
  }

  #unavailable(why: string, writes: boolean): Refused {
    const failed = fail("UPSTREAM_UNAVAILABLE", writes ? `${why}: whether it was done is not known` : why, {
      nothingWritten: writes ? null : true,
    });
    return { ok: false, failed, next: { kind: writes ? "stop" : "again" } };
  }

  #refused(answer: { status: number; data: unknown; until: number | null; writes: boolean }, log: Logger): Refused {
    const { status, data, writes } = answer;
    const { message, findings } = this.#reasonOf(data);
    const isSecondary = (status === 403 || status === 429) && /secondary rate limit|abuse detection/i.test(message);
    const until = answer.until ?? (isSecondary ? this.#limits.blockForSecondary() : null);
    if (until !== null) {
      const failed = this.#limits.refusal(until);
      return { ok: false, failed, next: { kind: "wait", until } };
    }
    if (status >= 500) return this.#unavailable(`GitHub failed (${status})`, writes);
    log.info("GitHub refused", { status, reason: message });
    if (status === 401) {
      const failed = fail("UPSTREAM_REFUSED", "GitHub does not accept the credential of this deployment");
      return { ok: false, failed, next: { kind: "renew" } };
    }
    // Gone is also what issues are where a repository has none, and logs that have expired.
    if (status === 404 || (status === 410 && /was deleted/i.test(message)))
      return stop(fail("NOT_FOUND", `GitHub has no such thing, or does not show it to us: ${message}`));
    const said = [message, ...findings.map((finding) => finding.message)].join(" ");
    const isTaken = status === 409 || (status === 422 && /already exists/i.test(said));
    return stop(
      fail(
        isTaken ? "CONFLICT" : "UPSTREAM_REFUSED",
        `GitHub refused (${status}): ${clip(said)}`,
        findings.length === 0 ? {} : { findings },
      ),
    );
  }

  /** What GitHub says of a refusal: a stranger's text, so bounded, on one line and without our secrets. */
  #reasonOf(data: unknown): { message: string; findings: Finding[] } {
    const clean = (text: string) =>
      clip(
        this.#redact(text)
          .replaceAll(/[\p{Cc}\p{Cf}]+/gu, " ")
          .trim(),
      );
    const parsed = ReasonSchema.safeParse(data);
    if (!parsed.success) return { message: "no reason given", findings: [] };
    const { message, errors } = parsed.data;
    return {
      message: clean(message),
      findings: errors.slice(0, 20).map(({ resource, field, code, message: text }) => ({
        ...(field === undefined ? {} : { path: [clean(field)] }),
        ...(code === undefined ? {} : { code: clean(code) }),
        message: clean(text ?? [resource, field, code].filter((part) => part !== undefined).join(" ")),
      })),
    };
  }
}

/** An attempt that failed, and what may be done about it. */
interface Refused {
  ok: false;
  failed: Failed;
  next: { kind: "stop" } | { kind: "again" } | { kind: "renew" } | { kind: "wait"; until: number };
}

const stop = (failed: Failed): Refused => ({ ok: false, failed, next: { kind: "stop" } });
const clip = (text: string): string =>
  (text.length > MAX_MESSAGE ? `${text.slice(0, MAX_MESSAGE - 1)}…` : text).toWellFormed();

const ReasonSchema = z.object({
  message: z.string(),
  errors: z
    .array(
      z.object({
        resource: z.string().optional(),
        field: z.string().optional(),
        code: z.string().optional(),
        message: z.string().optional(),
      }),
    )
    .catch([]),
});
