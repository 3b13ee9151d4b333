import type { Scope } from "@shared/contracts";
import { createLogger } from "@shared/worker-kit";
import { env } from "cloudflare:workers";
import { importJWK, type JWK, SignJWT, UnsecuredJWT } from "jose";
import { describe, expect, inject, test } from "vitest";
import { identify } from "../../worker/services/auth/identify.ts";
import { tokenWith } from "./caller.ts";

const { issuer, keys } = inject("access");
const settings = {
  ACCESS_TEAM_DOMAIN: issuer,
  ACCESS_AUDIENCE: "aud-of-mission-control, aud-of-another",
  ACCESS_ADMINS: "root@example.test",
  ACCESS_SCOPES: "",
};
const NOW = Math.floor(Date.now() / 1000);

interface Claims {
  email?: string;
  common_name?: string;
  aud?: string | string[];
  iss?: string;
  iat?: number;
  exp?: number;
  nbf?: number;
}
const claimsOf = (claims: Claims) => ({
  email: "ada@example.test",
  aud: ["aud-of-mission-control"],
  iss: issuer,
  iat: NOW,
  exp: NOW + 600,
  ...claims,
});
async function signed(claims: Claims = {}, key: JWK = keys.first, alg = "RS256"): Promise<string> {
  const payload = claimsOf(claims);
  return new SignJWT({ ...payload }).setProtectedHeader({ alg, kid: key.kid ?? "" }).sign(await importJWK(key, alg));
}

const who = async (headers: Record<string, string>, more: Partial<Env> = {}) => {
  const request = new Request("https://vibehq.test/api/orders", { headers });
  return identify({ ...env, ...settings, ...more }, request, {
    log: createLogger({ write: () => undefined }),
    now: () => new Date(NOW * 1000),
    background: () => undefined,
  });
};
const asserted = (jwt: string, more: Partial<Env> = {}) => who({ "cf-access-jwt-assertion": jwt }, more);
const codeOf = async (answer: ReturnType<typeof who>) => {
  const result = await answer;
  return result.ok ? result.actor.id : result.error.code;
};

describe("whom Cloudflare Access lets in", () => {
  test("is known by their email, may read, and may be behind another page's request", async () => {
    const answer = await asserted(await signed());
    expect(answer).toMatchObject({ ok: true, ambient: true, actor: { id: "user:ada@example.test", kind: "user" } });
    if (!answer.ok) return;
    expect([...answer.actor.scopes].every((scope) => scope.endsWith(":read"))).toBe(true);
    expect(answer.actor.credential?.expiresAt).toBe(new Date((NOW + 600) * 1000).toISOString());
    expect(await codeOf(who({ cookie: `a=b; CF_Authorization=${await signed()}` }))).toBe("user:ada@example.test");
  });

  test("is an administrator if listed, and otherwise has the scopes that are set", async () => {
    const scopesOf = async (jwt: string, more: Partial<Env> = {}): Promise<Scope[]> => {
      const answer = await asserted(jwt, more);
      return answer.ok ? [...answer.actor.scopes] : [];
    };
    expect(await scopesOf(await signed({ email: "root@example.test" }))).toEqual(["admin"]);
    expect(await scopesOf(await signed(), { ACCESS_SCOPES: "orders:read, nonsense" })).toEqual(["orders:read"]);
    expect(await scopesOf(await signed({ email: "root@example.test.evil" }))).not.toContain("admin");
  });

  test("may be a service, by its common name", async () => {
    const jwt = new SignJWT({ common_name: "ci.access", aud: settings.ACCESS_AUDIENCE.split(", "), iss: issuer })
      .setProtectedHeader({ alg: "RS256", kid: "first" })
      .setIssuedAt(NOW)
      .setExpirationTime(NOW + 60);
    expect(await codeOf(asserted(await jwt.sign(await importJWK(keys.first, "RS256"))))).toBe("service:ci.access");
  });

  test("may come with any key the team publishes", async () => {
    expect(await codeOf(asserted(await signed({}, keys.second)))).toBe("user:ada@example.test");
  });

  test.each<[string, () => Promise<string>]>([
    ["for another application", () => signed({ aud: "aud-of-nobody" })],
    ["of another team", () => signed({ iss: "https://other.cloudflareaccess.com" })],
    ["that is over", () => signed({ exp: NOW - 60 })],
    ["that is not yet", () => signed({ nbf: NOW + 60 })],
    ["signed with a key of the same name", () => signed({}, keys.foreign)],
    ["without a signature", async () => new UnsecuredJWT(claimsOf({})).encode()],
    [
      "signed with the public key as a secret",
      async () =>
        new SignJWT(claimsOf({}))
          .setProtectedHeader({ alg: "HS256", kid: "first" })
          .sign(new TextEncoder().encode(JSON.stringify({ ...keys.first, d: undefined }))),
    ],
    ["changed after it was signed", async () => (await signed()).replace(/\.[^.]+\./, (m) => `.${m.slice(3, -1)}AA.`)],
    ["that is none", async () => "x.y.z"],
    ["naming nobody", () => signed({ email: "" })],
  ])("a token %s is nobody's", async (_, make) => {
    expect(await codeOf(asserted(await make()))).toBe("UNAUTHENTICATED");
  });

  test("is nobody while Access is not configured, and a bearer's own token counts before it", async () => {
    const jwt = await signed({ email: "root@example.test" });
    expect(await codeOf(asserted(jwt, { ACCESS_AUDIENCE: "" }))).toBe("UNAUTHENTICATED");
    expect(await codeOf(asserted(jwt, { ACCESS_TEAM_DOMAIN: "" }))).toBe("UNAUTHENTICATED");
    const { token, id } = await tokenWith(["orders:read"]);
    const both = { authorization: `Bearer ${token}`, "cf-access-jwt-assertion": jwt };
    expect(await codeOf(who(both))).toBe(`token:${id}`);
  });

  test("is told to try again while the team's keys cannot be read", async () => {
    const elsewhere = "http://127.0.0.1:9";
    const answer = await asserted(await signed({ iss: elsewhere }), { ACCESS_TEAM_DOMAIN: elsewhere });
    expect(answer).toMatchObject({ ok: false, error: { code: "UNAUTHENTICATED", retryable: true } });
  });
});
