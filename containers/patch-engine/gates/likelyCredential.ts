import type { Credential } from "./credentialFormats.ts";

/** A name that what it is given is to be kept secret. */
const SECRET_NAME =
  /(?:api|access|secret|private|encryption|encrypt|signing|master|service|shared|session|auth|account|storage|hmac|deploy|admin|license)[_\-. ]?(?:api[_\-. ]?)?key|secret|token|passw(?:or)?d|passphrase|\bpass\b|_pass\b|\bpwd\b|_pwd\b|credential|bearer|\bauth\b|apikey|\bdsn\b|_salt\b|pepper/iu;

/** A name that only sounds so: what is public, counted, named, or measured. */
const PUBLIC_NAME =
  /public|publishable|site[_-]?key|(?:token|secret|password|key|credential)s?[_-]?(?:id|ids|name|names|url|uri|endpoint|type|types|path|file|count|limit|length|size|max|min|budget|usage|index|kind|hash|label|placeholder|hint|title|text|message|error|regex|pattern|format|prefix|ref|field|column|table|header|issuer|expiry|expires|ttl|arn|version|algorithm|alg|store|policy|strength|rules?)$|^(?:max|min|num|total|prompt|completion|input|output|next|prev|page|continuation|sync|cursor|csrf|xsrf|pad|eos|bos|unk|mask|special|design|color|css|cache|primary|foreign|sort|partition|row|idempotency|change)[_-]?\w*tokens?$|tokeni[sz]er|checksum|integrity|digest|sha\d*$|fingerprint|passwordless|compass|passthrough|bypass|tokenised/iu;

/** `name = "value"`, `name: other || 'value'`, `"name": "value"`, `NAME = read("value")`, `set("name", "value")`. */
const ASSIGNED =
  /(?<name>[A-Za-z_][\w.-]{1,80})["'`\]]*\s*(?::\s*[A-Za-z_][\w<>[\], |]{0,40}\s*)?(?:=>|:=|=|:|,|\|\||\?\?)\s*(?:(?<other>[A-Za-z_$][\w.$]{0,80})\s*(?:\|\||\?\?|,)\s*)?(?:[A-Za-z_$][\w.$]{0,80}\(\s*)?(?:[bruf]{0,2})(?<quote>["'`])(?<quoted>(?:(?!\k<quote>)[^\\\n]|\\.){8,512})\k<quote>/gu;
const BARE =
  /^[ \t]*(?:export\s+|ENV\s+|ARG\s+|-\s+)?["']?(?<name>[A-Za-z_][\w.-]{1,80})["']?\s*[=:]\s*(?<bare>[^\s"'`#,;{}()[\]]{12,512})[ \t]*(?:#.*)?$/gmu;
const SET =
  /\b(?:headers?|set|append|put|setItem|define|secret)\(\s*["'`](?<name>[\w.-]{3,60})["'`]\s*,\s*["'`](?<quoted>[^"'`\n]{8,512})["'`]/giu;

/** Values given to names that are to be secret, if they look made by chance: see `looksRandom`. */
export function byName(text: string): Credential[] {
  return [ASSIGNED, BARE, SET].flatMap((pattern) =>
    matchesFrom(pattern, text).flatMap(({ index, 0: whole, groups = {} }): Credential[] => {
      const { name = "", other = "", quoted, bare } = groups;
      const value = quoted ?? bare ?? "";
      const secretName = [name, other].find((one) => SECRET_NAME.test(one) && !PUBLIC_NAME.test(one));
      if (secretName === undefined) return [];
      // A bare word of a program is an expression, not a literal.
      if (bare !== undefined && /^[A-Za-z_$][\w$]*(?:[.?][\w$]+)*$/u.test(bare) && !/[0-9]/u.test(bare)) return [];
      const secret = /pass|pwd/iu.test(secretName) ? looksChosen(value) || looksRandom(value) : looksRandom(value);
      return secret ? [{ what: `value of ${secretName}`, value, start: index + whole.lastIndexOf(value) }] : [];
    }),
  );
}

/**
 * Matches that may share all but their names: in `"user": "app", "password": "…"` the first value and the second name
 * are a pair too, which must not hide the pair that matters.
 */
function matchesFrom(pattern: RegExp, text: string): RegExpExecArray[] {
  const matches: RegExpExecArray[] = [];
  const scan = new RegExp(pattern);
  for (let match = scan.exec(text); match !== null; match = scan.exec(text)) {
    matches.push(match);
    const name = match.groups?.name ?? "";
    scan.lastIndex = match.index + match[0].indexOf(name) + Math.max(1, name.length);
  }
  return matches;
}

/** Shannon's entropy of a text's characters, in bits a character. */
function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const char of text) counts.set(char, (counts.get(char) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/iu;

/**
 * Whether a literal looks made by chance: one word of at least 16 characters, of letters and digits mixed as words are
 * not, at 3 bits a character or more (3.5 where it is not hexadecimal).
 */
function looksRandom(value: string): boolean {
  if (value.length < 16 || /\s/u.test(value) || UUID.test(value)) return false;
  if (/^[0-9a-f]+$/iu.test(value)) return /[a-f]/iu.test(value) && /[0-9]/u.test(value) && entropy(value) >= 3;
  if (!/^[\w+/=.~!@#$%^&*:-]+$/u.test(value)) return false;
  if (!/[0-9]/u.test(value) || !/[A-Za-z]/u.test(value)) return false;
  if (/^(?:\.{0,2}\/|[a-z]+:)/iu.test(value)) return false;
  // Digests say what they are: `sha512-…`, `$2b$10$…`.
  if (/^(?:sha\d+[-:]|\$2[aby]\$|\$argon2)/iu.test(value)) return false;
  // Words joined by dots, dashes or underscores, a number among them, are a name.
  const parts = value.split(/[-_./:]/u);
  if (parts.length > 1 && parts.every((part) => /^(?:[A-Za-z]+|[0-9]{1,4}|v?[0-9]+|[A-Za-z]+[0-9]{1,3})$/u.test(part)))
    return false;
  return entropy(value) >= 3.5 && switches(value) >= value.length / 8;
}

/** A password of at least 10 characters with three of the four kinds: small, capital, digit, sign. */
function looksChosen(value: string): boolean {
  if (value.length < 10 || /\s/u.test(value) || /^[./$%{<(]|[({<]/u.test(value)) return false;
  if (!/^[\x21-\x7e]+$/u.test(value) || /^[a-z]+:/iu.test(value) || /\.[a-z]{2,5}$/u.test(value)) return false;
  const kinds = [/[a-z]/u, /[A-Z]/u, /[0-9]/u, /[^A-Za-z0-9]/u].filter((kind) => kind.test(value)).length;
  return kinds >= 3 && /[0-9]/u.test(value) && entropy(value) >= 3;
}

const kindOf = (char: string): number =>
  /[a-z]/u.test(char) ? 0 : /[A-Z]/u.test(char) ? 1 : /[0-9]/u.test(char) ? 2 : 3;

/** How often neighbours are of different kinds: capital, small, digit, sign. */
function switches(value: string): number {
  let count = 0;
  for (let at = 1; at < value.length; at++) if (kindOf(value.charAt(at)) !== kindOf(value.charAt(at - 1))) count++;
  return count;
}
