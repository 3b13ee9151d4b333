import { createPrivateKey } from "node:crypto";
import { fail, type Result } from "@shared/contracts";
import { importPKCS8, SignJWT } from "jose";
import { z } from "zod";
import type { Credential } from "../config.ts";
import type { Clock } from "./RateLimits.ts";

/** A token is not used any more when it has less than this left, in milliseconds. */
const MARGIN_MS = 5 * 60_000;
/** GitHub takes at most ten minutes, and asks that a word be issued in its past. */
const JWT_SECONDS = 540;
const JWT_BACKDATED_SECONDS = 60;

const MintedSchema = z.object({ token: z.string().min(1), expires_at: z.iso.datetime({ offset: true }) });
export type Minted = z.infer<typeof MintedSchema>;

/** Sends one request as the App itself; the answer's body. */
export type AskAsApp = (
  route: string,
  jwt: string,
  body: Record<string, unknown>,
) => Promise<Result<{ data: unknown }>>;

/** The token to show GitHub: the one that was given, or the App's for its installation, new before it expires. */
export class Tokens {
  readonly #credential: Credential;
  readonly #clock: Clock;
  #held: { token: string; expiresAt: number } | null = null;

  constructor(credential: Credential, clock: Clock) {
    this.#credential = credential;
    this.#clock = clock;
  }

  /** Errors: those of minting. Two at once may mint two: either is good. */
  async current(ask: AskAsApp): Promise<Result<{ token: string }>> {
    if (this.#credential.kind === "token") return { ok: true, token: this.#credential.token };
    if (this.#held !== null && this.#held.expiresAt - MARGIN_MS > this.#clock.now())
      return { ok: true, token: this.#held.token };
    const minted = await this.mint(ask, {});
    if (!minted.ok) return minted;
    this.#held = { token: minted.minted.token, expiresAt: Date.parse(minted.minted.expires_at) };
    return { ok: true, token: this.#held.token };
  }

  /** Forgets a token that was refused, so that the next is a new one. False: there is no other to be had. */
  refused(token: string): boolean {
    if (this.#credential.kind === "token") return false;
    if (this.#held?.token === token) this.#held = null;
    return true;
  }

  /** A token of the App that does no more than `only` says. */
  async mint(ask: AskAsApp, only: Record<string, unknown>): Promise<Result<{ minted: Minted }>> {
    if (this.#credential.kind === "token") return fail("INTERNAL", "a token mints no tokens");
    const { appId, installationId, privateKey } = this.#credential;
    const now = Math.floor(this.#clock.now() / 1_000);
    let jwt: string;
    try {
      const pkcs8 = createPrivateKey(privateKey).export({ type: "pkcs8", format: "pem" }).toString();
      jwt = await new SignJWT({
        iss: appId,
        iat: now - JWT_BACKDATED_SECONDS,
        exp: now + JWT_SECONDS - JWT_BACKDATED_SECONDS,
      })
        .setProtectedHeader({ alg: "RS256" })
        .sign(await importPKCS8(pkcs8, "RS256"));
    } catch {
      // The cause may hold parts of the key.
      return fail("UPSTREAM_UNAVAILABLE", "GITHUB_APP_PRIVATE_KEY is not an RSA key in PEM; docs/github.md says how", {
        retryable: false,
      });
    }
    const answer = await ask(`POST /app/installations/${installationId}/access_tokens`, jwt, only);
    if (!answer.ok) return answer;
    const minted = MintedSchema.safeParse(answer.data);
    return minted.success
      ? { ok: true, minted: minted.data }
      : fail("UPSTREAM_REFUSED", "GitHub answered a request for a token in an unknown form");
  }
}
