import { redactor } from "@shared/worker-kit";
import { allSecrets } from "../secrets/secretService.ts";

/** What looks like a credential by its own form: other people's logs hold other people's secrets. */
const CREDENTIALS: readonly RegExp[] = [
  /\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|sk-[\w-]{20,}|sk_(?:live|test)_\w{16,}|xox[abprs]-[\w-]{10,}|AKIA[0-9A-Z]{16}|AIza[\w-]{30,}|npm_[A-Za-z0-9]{30,}|glpat-[\w-]{20,})/g,
  /\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  /(?<=\b(?:Bearer|Basic|token|authorization:)\s+)[\w.~+/=-]{12,}/gi,
  /(?<=:\/\/[^\s:/@]{1,100}:)[^\s/@]{3,200}(?=@)/g,
  /(?<=\b(?:password|passwd|secret|api[_-]?key|access[_-]?token|client[_-]?secret)["']?\s*[=:]\s*["']?)[^\s"',;&]{6,}/gi,
];

const known = new WeakMap<Env, (text: string) => string>();

/** Takes this deployment's secrets out by value, and what has the form of a credential. */
export function redactorOfLogs(env: Env): (text: string) => string {
  let redact = known.get(env);
  if (!redact) {
    const ours = redactor(allSecrets(env));
    redact = (text) => CREDENTIALS.reduce((clean, pattern) => clean.replaceAll(pattern, "[redacted]"), ours(text));
    known.set(env, redact);
  }
  return redact;
}
