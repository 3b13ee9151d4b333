import { redactedValue, redactor } from "@shared/worker-kit";

/** Bindings that hold a secret, by the ends of their names. */
const SECRET_BINDING = /(?:_KEY|_TOKEN|_SECRET|_PASSWORD)$/;
const REDACTED = "[redacted]";

/**
 * What a credential looks like wherever it stands: this house's tokens and webhook secrets, those of the services it
 * speaks to, keys in PEM, JWTs, passwords in addresses and values after a secret's name. Not the name of an actor, `token:<its id>`.
 */
const PATTERNS: readonly [RegExp, string][] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, REDACTED],
  [/\bvhq_[A-Za-z0-9]{12}_[A-Za-z0-9_-]{20,}/g, REDACTED],
  [/\bwhsec_[A-Za-z0-9+/=_-]{16,}/g, REDACTED],
  [/\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,})/g, REDACTED],
  [/\b(?:sk|pk|rk)[-_](?:ant-|proj-|live_|test_)?[A-Za-z0-9_-]{20,}/g, REDACTED],
  [/\bxox[abeprs]-[A-Za-z0-9-]{10,}/g, REDACTED],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, REDACTED],
  [/\bAIza[A-Za-z0-9_-]{30,}/g, REDACTED],
  [/\bya29\.[A-Za-z0-9_-]{20,}/g, REDACTED],
  [/\bnpm_[A-Za-z0-9]{30,}/g, REDACTED],
  [/\bglpat-[A-Za-z0-9_-]{20,}/g, REDACTED],
  [/\bhf_[A-Za-z0-9]{30,}/g, REDACTED],
  [/\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}/g, REDACTED],
  [/\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*/g, REDACTED],
  [/\b([a-z][a-z0-9+.-]{1,20}:\/\/[^\s/:@]{0,200}):[^\s/@]{1,500}@/gi, `$1:${REDACTED}@`],
  // A header's whole value: what stands behind its first blank or semicolon is as secret as what is before.
  [
    /\b((?:proxy-)?authorization["']?\s{0,3}[:=]\s{0,3}["']?)(?!\[redacted\])(?:[A-Za-z0-9-]{2,30} {1,3})?[^\s"',;]{4,}/gi,
    `$1${REDACTED}`,
  ],
  [/\b((?:set-)?cookie["']?\s{0,3}[:=](?!\s{0,3}["']?\[redacted\])\s{0,3}["']?)[^\n"']{4,4000}/gi, `$1${REDACTED}`],
  [
    /\b([A-Za-z0-9_-]{0,80}?(?:password|passwd|secret|token|api[_-]?key|private[_-]?key|authorization|cookie))(["']?\s{0,3}[:=]\s{0,3}["']?)(?!\[redacted\]|(?:bootstrap|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22})\b)[^\s"',;&}]{4,}/gi,
    `$1$2${REDACTED}`,
  ],
];

const known = new WeakMap<Env, (text: string) => string>();

/** Takes every secret of the environment, also as base64 and as part of an address, and whatever looks like one out of a text. */
export function redactorOf(env: Env): (text: string) => string {
  let redact = known.get(env);
  if (redact === undefined) {
    const values = Object.entries(env)
      .filter(([name, value]: [string, unknown]) => SECRET_BINDING.test(name) && typeof value === "string")
      .flatMap(([, value]: [string, unknown]) => formsOf(String(value)));
    const byValue = redactor(values);
    redact = (text) => PATTERNS.reduce((clean, [pattern, by]) => clean.replaceAll(pattern, by), byValue(text));
    known.set(env, redact);
  }
  return redact;
}

/** A JSON value without secrets, in values and in names. */
export const redacted = (env: Env, value: unknown): unknown => redactedValue(value, redactorOf(env));

/** As it is, in an address, in base64. Short values would hit plain words, and are left out by whoever uses them. */
function formsOf(secret: string): string[] {
  if (secret.length < 8) return [];
  const base64 = Buffer.from(secret, "utf8").toString("base64").replace(/=+$/, "");
  return [secret, encodeURIComponent(secret), base64, Buffer.from(secret, "utf8").toString("base64url")];
}
