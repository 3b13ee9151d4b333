import { createHash } from "node:crypto";

const LOWER = "abcdefghijklmnopqrstuvwxyz";
const UPPER = LOWER.toUpperCase();
const DIGIT = "0123456789";
const SETS: Readonly<Record<string, string>> = {
  lower: LOWER,
  upper: UPPER,
  digit: DIGIT,
  hex: `${DIGIT}abcdef`,
  base32: `${UPPER}234567`,
  word: LOWER + UPPER + DIGIT,
  url: `${LOWER}${UPPER}${DIGIT}-_`,
  base64: `${LOWER}${UPPER}${DIGIT}+/`,
  sign: "!#%^&*?",
};

const LINES = Array.from({ length: 6 }, () => "<base64:64>").join("\n");
const pem = (label: string): string => `-----BEGIN ${label}-----\n${LINES}\n<base64:40>\n-----END ${label}-----`;

/**
 * Values by what they are, each as its issuer forms it: `<set:n>` is n characters of a set, made by chance. The corpus
 * names them as `{{aws-access-key-id}}`, so that nothing in the repository looks like a credential to a scanner.
 */
const FORMATS: Readonly<Record<string, string>> = {
  "aws-access-key-id": "AKIA<base32:16>",
  "aws-temporary-key-id": "ASIA<base32:16>",
  "aws-secret-key": "<base64:40>",
  "github-token": "ghp_<word:36>",
  "github-app-token": "ghs_<word:36>",
  "github-fine-grained": "github_pat_<word:22>_<word:59>",
  "gitlab-token": "glpat-<word:20>",
  "openai-key": "sk-proj-<word:48>",
  "anthropic-key": "sk-ant-api03-<url:93>AA",
  "stripe-key": "sk_live_<word:24>",
  "stripe-restricted-key": "rk_live_<word:24>",
  "stripe-webhook-secret": "whsec_<word:32>",
  "slack-bot-token": "xoxb-<digit:12>-<digit:13>-<word:24>",
  "slack-app-token": "xapp-1-A<base32:10>-<digit:13>-<hex:64>",
  "slack-webhook": "https://hooks.slack.com/services/T<base32:10>/B<base32:10>/<word:24>",
  "google-api-key": "AIza<url:35>",
  "google-client-secret": "GOCSPX-<url:28>",
  "sendgrid-key": "SG.<url:22>.<url:43>",
  "twilio-key": "SK<hex:32>",
  "mailgun-key": "key-<hex:32>",
  "npm-token": "npm_<word:36>",
  "pypi-token": "pypi-AgEIcHlwaS5vcmc<url:96>",
  "huggingface-token": "hf_<upper:10><lower:24>",
  "digitalocean-token": "dop_v1_<hex:64>",
  "telegram-token": "<digit:10>:AA<url:33>",
  "discord-token": "M<word:25>.<url:6>.<url:38>",
  "discord-webhook": "https://discord.com/api/webhooks/<digit:18>/<url:68>",
  "azure-storage-key": "<base64:86>==",
  "shopify-token": "shpat_<hex:32>",
  "supabase-key": "sbp_<hex:40>",
  "linear-key": "lin_api_<word:40>",
  "notion-token": "ntn_<digit:11><word:35>",
  "cloudflare-token": "<url:40>",
  "datadog-key": "<hex:32>",
  "vault-token": "hvs.<url:95>",
  jwt: "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOi<word:40>.<url:43>",
  "rsa-key": pem("RSA PRIVATE KEY"),
  "ec-key": pem("EC PRIVATE KEY"),
  "pkcs8-key": pem("PRIVATE KEY"),
  "openssh-key": pem("OPENSSH PRIVATE KEY"),
  password: "<upper:1><lower:6><digit:3><sign:1><word:4>",
  "random-hex": "<hex:64>",
  "random-base64": "<base64:43>=",
  "random-word": "<word:32>",
  // What is made by chance too, and no secret.
  uuid: "<hex:8>-<hex:4>-4<hex:3>-a<hex:3>-<hex:12>",
  "commit-hash": "<hex:40>",
  "sha256-hash": "<hex:64>",
  "md5-hash": "<hex:32>",
  "sha512-integrity": "sha512-<base64:86>==",
  "sha384-integrity": "sha384-<base64:64>",
  "ssh-public-key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI<base64:43>",
  "public-key": pem("PUBLIC KEY"),
  certificate: pem("CERTIFICATE"),
  "stripe-publishable-key": "pk_live_<word:24>",
  "data-uri": "data:image/png;base64,iVBORw0KGgo<base64:120>",
  "font-hash": "<word:20>",
  "bcrypt-hash": "$2b$10$<word:53>",
  "object-id": "<hex:24>",
};

/** Puts a value of its format in the place of every `{{name}}`: the same for the same seed. Others stay as they are. */
export function withCredentials(text: string, seed: string): string {
  let count = 0;
  return text.replaceAll(/\{\{([a-z0-9-]+)\}\}/gu, (name, key: string) => {
    const format = FORMATS[key];
    return format === undefined ? name : made(format, `${seed} ${count++}`);
  });
}

function made(format: string, seed: string): string {
  let count = 0;
  return format.replaceAll(/<(\w+):(\d+)>/gu, (_, set: string, size: string) => {
    const characters = SETS[set] ?? "";
    return Array.from({ length: Number(size) }, () => {
      const chance = createHash("sha256").update(`${seed} ${count++}`).digest().readUInt32BE();
      return characters.charAt(chance % characters.length);
    }).join("");
  });
}
