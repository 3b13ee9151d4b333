import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { redacted, redactorOf } from "../../worker/services/logging/redact.ts";

const redact = redactorOf(env);
const long = (alphabet: string, length: number): string =>
  alphabet.repeat(Math.ceil(length / alphabet.length)).slice(0, length);
const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** Made up, each in the form of what it stands for: what is around it stays. `|` marks where the secret begins and ends. */
const CORPUS: [kind: string, text: string][] = [
  ["this house's token", `called with |vhq_AbCdEfGhJkLm_${long("aB3_", 43)}| by hand`],
  ["a webhook's secret", `made |whsec_${base64(long("k", 32))}|`],
  ["GitHub: a personal token", `remote: |ghp_${long("a1B2", 36)}|`],
  ["GitHub: an installation's", `remote: |ghs_${long("a1B2", 36)}|`],
  ["GitHub: fine-grained", `remote: |github_pat_${long("11ABC_d", 60)}|`],
  ["GitLab", `|glpat-${long("aB3-", 20)}| was refused`],
  ["OpenAI", `with |sk-proj-${long("a1B2", 40)}|`],
  ["Anthropic", `with |sk-ant-api03-${long("a1B2-", 60)}|`],
  ["Stripe", `with |sk_live_${long("a1B2", 24)}|`],
  ["Google: an API key", `key |AIza${long("aB3_", 35)}|`],
  ["Google: an access token", `with |ya29.${long("aB3_", 60)}|`],
  ["AWS", `as |AKIAABCDEFGHIJKLMNOP| in eu-west-1`],
  ["Slack", `posted by |xoxb-${long("123-abc", 30)}|`],
  ["npm", `//registry |npm_${long("aB3", 36)}|`],
  ["Hugging Face", `pull with |hf_${long("aBc", 34)}|`],
  ["SendGrid", `mail by |SG.${long("aB3_", 22)}.${long("aB3_", 43)}|`],
  ["a JWT", `claims |eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.${long("dB_-", 40)}| end`],
  ["a JWT without a signature", `claims |eyJhbGciOiJub25lIn0.eyJzdWIiOiIxMjM0NTY3ODkwIn0.|`],
  ["a PEM key", `|-----BEGIN RSA PRIVATE KEY-----\n${long("MIIE", 60)}\n-----END RSA PRIVATE KEY-----| then`],
  ["half of a PEM key", `|-----BEGIN PRIVATE KEY-----\n${long("MIIE", 60)}|`],
  ["a password in an address", `postgres://app:|hunter2secret|@db.internal:5432/x`],
  ["a password of signs in an address", `https://u:|p%40ss!word|@example.com/`],
  ["a bearer", `sent Authorization: |Bearer ${long("abc1", 30)}|`],
  ["a basic authorization", `sent authorization: |Basic ${base64("app:hunter2secret")}| to it`],
  ["a basic authorization without its header", `sent Basic |${base64("app:hunter2secret")}|`],
  ["a header as JSON", `{"authorization":"|Basic ${base64("app:hunter2secret")}|"}`],
  ["a token's header", `Proxy-Authorization: |Token ${long("f0e1", 20)}|`],
  ["cookies, all of them", `Cookie: |theme=dark; __Host-vibehq-local=${long("aB3.", 40)}|`],
  ["a cookie that is set", `set-cookie: |__Host-vibehq-local=${long("aB3.", 40)}; HttpOnly; Secure|`],
  ["an assignment", `export CLOUDFLARE_API_TOKEN=|${long("aB3_", 40)}| && deploy`],
  ["a JSON field", `{"password":"|correct-horse|"}`],
  ["a parameter of an address", `GET /cb?access_token=|${long("x9", 20)}|&state=1`],
  ["YAML", `api_key: |${long("z8", 24)}|`],
];

describe("a credential is taken out, and what is around it stays", () => {
  test.each(CORPUS)("%s", (_, marked) => {
    const [before = "", secret = "", after = ""] = marked.split("|");
    const clean = redact(before + secret + after);
    expect(clean).not.toContain(secret);
    // No part of it either, as long as would be of use.
    for (let at = 0; at + 12 <= secret.length; at += 1) {
      const piece = secret.slice(at, at + 12);
      if (!/^(?:-----|Basic|Bearer|Token)|PRIVATE KEY/.test(piece)) expect(clean).not.toContain(piece);
    }
    expect(clean.startsWith(before)).toBe(true);
    expect(clean.endsWith(after)).toBe(true);
    // Taken out twice it is taken out once.
    expect(redact(clean)).toBe(clean);
  });
});

describe("each secret of this deployment is taken out by its value, in every form it is sent in", () => {
  const secrets = Object.entries(env).filter(
    (entry): entry is [string, string] => /(?:_KEY|_TOKEN|_SECRET)$/.test(entry[0]) && typeof entry[1] === "string",
  );
  test("there are some", () => {
    expect(secrets.map(([name]) => name)).toEqual(
      expect.arrayContaining(["ENGINE_TOKEN", "BOOTSTRAP_TOKEN", "SESSION_SECRET", "CLAUDE_API_KEY"]),
    );
  });
  test.each(secrets)("%s", (_, value) => {
    const forms = [
      value,
      encodeURIComponent(value),
      base64(value).replace(/=+$/, ""),
      Buffer.from(value).toString("base64url"),
    ];
    for (const form of forms) expect(redact(`it said ${form}; and went on`)).not.toContain(form);
    const meta = redacted(env, { deep: [{ [value]: value }], list: [value] });
    expect(JSON.stringify(meta)).not.toContain(value);
  });
});

test.each([
  "commit 3f2b6c1e9d7a4f648a9b0c1d2e3f4a5b3f2b6c1e of main",
  "request 0192f0c4-7e4e-7bd1-9a51-1f3d5b1c2a3e took 12 ms",
  "token:0192f0c4-7e4e-7bd1-9a51-1f3d5b1c2a3e revoked a token",
  "token:bootstrap",
  "the secret of a good patch is a small one",
  "https://example.com:8443/a?b=c#d",
  "git@github.com:acme/shop.git",
  "sha256=0000",
  "a cookie was refused",
  "authorization failed for user 7",
  "D1_ERROR: no such table: carts: SQLITE_ERROR",
  "    at applyPatches (worker/services/patch/applyPatches.ts:120:15)",
])("what is no credential stays as it is: %s", (text) => {
  expect(redact(text)).toBe(text);
});

test("a text made to be slow to read is read, within this test's time", () => {
  for (const hostile of [
    "a".repeat(200_000),
    "://".repeat(60_000),
    "cookie:".repeat(30_000),
    "authorization ".repeat(20_000),
    `Basic ${"a".repeat(200_000)}`,
    "-----BEGIN ".repeat(20_000),
  ]) {
    expect(redact(hostile).length).toBeGreaterThan(0);
  }
});
