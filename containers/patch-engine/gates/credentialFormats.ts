/** A credential found in a text, by where it stands. Offsets are UTF-16 units. */
export interface Credential {
  /** What it is, for a reader. */
  what: string;
  value: string;
  start: number;
}

/**
 * Formats that the library's preset does not hold, each by what its issuer documents of it. Group 1, where there is
 * one, is the credential; else the whole match is.
 */
const FORMATS: readonly { what: string; pattern: RegExp }[] = [
  { what: "AWS access key id", pattern: /(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z2-7]{16}(?![A-Za-z0-9])/gu },
  { what: "Google API key", pattern: /(?<![\w-])AIza[\w-]{35}(?![\w-])/gu },
  { what: "Google OAuth client secret", pattern: /(?<![\w-])GOCSPX-[\w-]{28}(?![\w-])/gu },
  { what: "Google OAuth access token", pattern: /(?<![\w-])ya29\.[\w-]{30,}/gu },
  {
    what: "OpenAI API key",
    pattern: /(?<![\w-])sk-(?:(?:proj|svcacct|admin|None)-[\w-]{20,}|[A-Za-z0-9]{40,})(?![\w-])/gu,
  },
  { what: "OpenRouter API key", pattern: /(?<![\w-])sk-or-v1-[0-9a-f]{64}(?![\w-])/gu },
  { what: "Stripe secret key", pattern: /(?<![A-Za-z0-9])(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{20,}/gu },
  { what: "Stripe webhook secret", pattern: /(?<![A-Za-z0-9])whsec_[A-Za-z0-9+/]{24,}={0,2}/gu },
  { what: "SendGrid API key", pattern: /(?<![\w-])SG\.[\w-]{16,32}\.[\w-]{32,64}(?![\w-])/gu },
  { what: "Twilio API key", pattern: /(?<![A-Za-z0-9])SK[0-9a-f]{32}(?![A-Za-z0-9])/gu },
  { what: "Mailgun API key", pattern: /(?<![A-Za-z0-9])key-[0-9a-f]{32}(?![A-Za-z0-9])/gu },
  { what: "Mailchimp API key", pattern: /(?<![A-Za-z0-9])[0-9a-f]{32}-us[0-9]{1,2}(?![A-Za-z0-9])/gu },
  { what: "PyPI token", pattern: /(?<![\w-])pypi-AgE[\w-]{50,}/gu },
  { what: "npm token", pattern: /(?<![A-Za-z0-9])npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])/gu },
  { what: "npm token", pattern: /_authToken\s*=\s*"?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})/gu },
  { what: "npm credential", pattern: /(?<![\w-])_(?:auth|password)\s*=\s*"?([A-Za-z0-9+/]{12,}={0,2})(?![\w$])/gu },
  { what: "DigitalOcean token", pattern: /(?<![A-Za-z0-9])do[opr]_v1_[0-9a-f]{64}(?![A-Za-z0-9])/gu },
  { what: "Telegram bot token", pattern: /(?<![A-Za-z0-9])[0-9]{8,10}:AA[\w-]{33}(?![\w-])/gu },
  { what: "Discord bot token", pattern: /(?<![\w-])[MNO][A-Za-z\d]{23,27}\.[\w-]{6}\.[\w-]{27,38}(?![\w-])/gu },
  { what: "Discord webhook", pattern: /https:\/\/discord(?:app)?\.com\/api\/webhooks\/[0-9]{17,20}\/[\w-]{60,}/gu },
  {
    what: "Slack token",
    pattern: /(?<![A-Za-z0-9])xox[abeoprs]-[A-Za-z0-9-]{20,}|(?<![A-Za-z0-9])xapp-[0-9]-[A-Za-z0-9-]{20,}/gu,
  },
  {
    what: "Slack webhook",
    pattern: /https:\/\/hooks\.slack\.com\/(?:services|workflows|triggers)\/[A-Za-z0-9/]{30,}/gu,
  },
  {
    what: "GitHub token",
    pattern: /(?<![A-Za-z0-9])(?:gh[opsur]_[A-Za-z0-9]{36,255}|github_pat_\w{60,})(?![A-Za-z0-9])/gu,
  },
  { what: "GitLab token", pattern: /(?<![\w-])gl(?:pat|dt|rt|ptt|cbt|soat|ft)-[\w-]{20,}/gu },
  { what: "Hugging Face token", pattern: /(?<![A-Za-z0-9])hf_[A-Za-z]{30,40}(?![A-Za-z0-9])/gu },
  { what: "Supabase key", pattern: /(?<![A-Za-z0-9])sb(?:p_[0-9a-f]{40}|_secret_[\w-]{20,})/gu },
  { what: "Sentry token", pattern: /(?<![\w-])sntr(?:ys_[\w+/=-]{60,}|yu_[0-9a-f]{64})/gu },
  { what: "Doppler token", pattern: /(?<![A-Za-z0-9])dp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9._-]{40,}/gu },
  { what: "Atlassian token", pattern: /(?<![A-Za-z0-9])ATATT3[\w=-]{60,}/gu },
  { what: "PlanetScale credential", pattern: /(?<![A-Za-z0-9])pscale_(?:tkn|pw|oauth)_[\w=-]{32,}/gu },
  { what: "New Relic key", pattern: /(?<![A-Za-z0-9])NRAK-[A-Z0-9]{27}(?![A-Za-z0-9])/gu },
  { what: "Postman API key", pattern: /(?<![A-Za-z0-9])PMAK-[0-9a-f]{24}-[0-9a-f]{34}/gu },
  { what: "Age secret key", pattern: /AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}/gu },
  {
    what: "private key",
    pattern:
      /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----(?:\s|\\n|["'+,]|[A-Za-z][\w-]*: [^\n]*\n)*[A-Za-z0-9+/=]{16,}[^-]*/gu,
  },
  { what: "JSON Web Token", pattern: /(?<![\w-])eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{16,}/gu },
  { what: "Azure storage key", pattern: /(?:AccountKey|SharedAccessKey)=([A-Za-z0-9+/]{40,}={0,2})/gu },
  { what: "Azure signed URL", pattern: /[?&]sig=([A-Za-z0-9%+/]{40,}(?:%3D|=)?)/gu },
  {
    what: "connection string",
    pattern: /(?<![A-Za-z0-9])[a-z][a-z0-9+.-]{1,24}:\/\/[^\s:@/"'`<>?#]*:([^\s@/"'`<>]{3,})@[\w.[\]-]+/giu,
  },
  {
    what: "connection string",
    pattern: /(?:server|data source|host)=[^;\n]{1,200};[^\n]{0,300}?\b(?:password|pwd)=([^;"'\s]{6,})/giu,
  },
  {
    what: "authorization header",
    pattern: /\bauthorization["']?\s*[:=,]\s*["'`]?(?:bearer|basic|token)\s+([\w+/.=~-]{20,})/giu,
  },
  {
    what: "credential on a command line",
    pattern: /\bcurl\b[^\n]{0,300}?\s(?:-u|--user)\s+["']?[\w.@-]+:([^\s"']{6,})/gu,
  },
];

/** The credentials of known formats in a text. */
export function byFormat(text: string): Credential[] {
  return FORMATS.flatMap(({ what, pattern }) =>
    [...text.matchAll(pattern)].map((match) => {
      const value = match[1] ?? match[0];
      return { what, value, start: match.index + (match[1] === undefined ? 0 : match[0].lastIndexOf(value)) };
    }),
  );
}

/** Loaded when first needed: a text in which nothing looks like a token is not worth the library's start. */
let library: Promise<(text: string) => Promise<Credential[]>> | null = null;

/** The credentials that secretlint's recommended rules know. They run in this process and ask no network. */
export async function byLibrary(text: string): Promise<Credential[]> {
  library ??= loadLibrary();
  return (await library)(text);
}

async function loadLibrary() {
  const [{ lintSource }, { creator }] = await Promise.all([
    import("@secretlint/core"),
    import("@secretlint/secretlint-rule-preset-recommend"),
  ]);
  const config = { rules: [{ id: "@secretlint/secretlint-rule-preset-recommend", rule: creator }] };
  return async (text: string): Promise<Credential[]> => {
    // A comment in a patch must not be able to switch the rules off for what stands below it.
    const content = text.replaceAll("secretlint-", "secretlint_");
    const source = { filePath: "added", content, contentType: "text" as const, ext: "" };
    const { messages } = await lintSource({ source, options: { config, noPhysicFilePath: true } });
    return messages.map(({ messageId, range }) => ({
      what: messageId.toLowerCase().replaceAll("_", " "),
      value: text.slice(range[0], range[1]),
      start: range[0],
    }));
  };
}
