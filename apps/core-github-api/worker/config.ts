import { fail, githubRepositoryOf, type GithubRepository, type Result } from "@shared/contracts";

/** Bindings that a deployment sets, most of them as secrets, or leaves out. */
interface Optional {
  /** To whom issues in progress are assigned. Absent: to the token's own account; an App has none. */
  GITHUB_ASSIGNEE?: string;
  GITHUB_TOKEN?: string;
  /** As GitHub hands it out, PKCS #1, or as PKCS #8; PEM, its line ends possibly written as `\n`. */
  GITHUB_APP_PRIVATE_KEY?: string;
}
export type Bindings = Env & Optional;
/** What is read here of the environment. */
export type ConfigBindings = Optional &
  Pick<
    Env,
    | "GITHUB_API_URL"
    | "GITHUB_GIT_URL"
    | "GITHUB_OWNER"
    | "GITHUB_REPO"
    | "GITHUB_REPOSITORIES"
    | "GITHUB_APP_ID"
    | "GITHUB_INSTALLATION_ID"
  >;

export type Credential =
  | { kind: "token"; token: string }
  | { kind: "app"; appId: string; installationId: string; privateKey: string };

export interface GithubConfig {
  /** Without a slash at its end. */
  apiUrl: string;
  gitUrl: string;
  credential: Credential;
  allowed: readonly GithubRepository[];
  defaultRepository: GithubRepository | null;
  /** To whom issues in progress are assigned; null: to the token's own account, of an App to nobody. */
  assignee: string | null;
}

const HOW = "docs/github.md says how";
const missing = (what: string) =>
  fail("UPSTREAM_UNAVAILABLE", `GitHub is not configured: ${what}; ${HOW}`, { retryable: false });

/** An https address, or http of this machine itself, where tests and local servers answer. */
function baseUrl(text: string): string | null {
  if (!URL.canParse(text)) return null;
  const { protocol, hostname, username, password, search, hash, href } = new URL(text);
  const isLocal = protocol === "http:" && ["127.0.0.1", "localhost", "[::1]"].includes(hostname);
  if ((protocol !== "https:" && !isLocal) || username + password + search + hash !== "") return null;
  return href.replace(/\/+$/, "");
}

/** What the environment says, or UPSTREAM_UNAVAILABLE naming what is to be set. No message shows a value. */
export function readConfig(env: ConfigBindings): Result<{ config: GithubConfig }> {
  const apiUrl = baseUrl(env.GITHUB_API_URL);
  if (apiUrl === null) return missing("GITHUB_API_URL must be an https address");
  const gitUrl = baseUrl(env.GITHUB_GIT_URL);
  if (gitUrl === null) return missing("GITHUB_GIT_URL must be an https address");

  const allowed = env.GITHUB_REPOSITORIES.split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
  const repositories = allowed.map(globOf);
  if (repositories.includes(null)) return missing("GITHUB_REPOSITORIES must be owner/name or owner/*, with commas");
  if (allowed.length === 0) return missing("set GITHUB_REPOSITORIES to what may be reached");

  const credential = credentialOf(env);
  if (credential === null) {
    return missing("set the secret GITHUB_TOKEN, or GITHUB_APP_ID, GITHUB_INSTALLATION_ID and GITHUB_APP_PRIVATE_KEY");
  }
  const assignee = (env.GITHUB_ASSIGNEE ?? "").trim();
  if (assignee !== "" && !/^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})$/.test(assignee)) {
    return missing("GITHUB_ASSIGNEE must be an account's login");
  }
  const named = env.GITHUB_OWNER !== "" && env.GITHUB_REPO !== "";
  return {
    ok: true,
    config: {
      apiUrl,
      gitUrl,
      credential,
      allowed: repositories.filter((entry) => entry !== null),
      assignee: assignee === "" ? null : assignee,
      defaultRepository: named ? githubRepositoryOf(`${env.GITHUB_OWNER}/${env.GITHUB_REPO}`) : null,
    },
  };
}

/** An App wins over a token: what it is given lives for an hour and reaches only where it is installed. */
export function credentialOf(env: ConfigBindings): Credential | null {
  const { GITHUB_APP_ID: appId, GITHUB_INSTALLATION_ID: installationId, GITHUB_TOKEN: token } = env;
  const privateKey = (env.GITHUB_APP_PRIVATE_KEY ?? "").replaceAll(String.raw`\n`, "\n");
  if (/^[\w.-]+$/.test(appId) && /^\d+$/.test(installationId) && privateKey !== "") {
    return { kind: "app", appId, installationId, privateKey };
  }
  // What could not stand in a header was not meant as a token.
  return token !== undefined && /^[\x21-\x7e]{8,}$/.test(token) ? { kind: "token", token } : null;
}

/** `owner/name`; the name `*` stands for all of an owner's. */
function globOf(entry: string): GithubRepository | null {
  if (!entry.endsWith("/*")) return githubRepositoryOf(entry);
  const parsed = githubRepositoryOf(`${entry.slice(0, -1)}any`);
  return parsed && { owner: parsed.owner, name: "*" };
}

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

/** GitHub does not tell upper from lower case in these names, so neither does the list. */
function isAllowed(config: Pick<GithubConfig, "allowed">, { owner, name }: GithubRepository): boolean {
  return config.allowed.some((entry) => same(entry.owner, owner) && (entry.name === "*" || same(entry.name, name)));
}

/**
 * The repository of an address: `name` is one of GITHUB_OWNER's, `owner/name` (its slash percent-encoded) is itself,
 * null is the default. Errors: VALIDATION_FAILED, FORBIDDEN where it is not on the list.
 */
export function resolveRepository(
  config: GithubConfig,
  env: Pick<ConfigBindings, "GITHUB_OWNER">,
  given: string | null,
): Result<{ repository: GithubRepository }> {
  if (given === null && config.defaultRepository === null) {
    return fail("VALIDATION_FAILED", "no repository is named, and GITHUB_OWNER and GITHUB_REPO name no default");
  }
  const full = given === null || given.includes("/") ? given : `${env.GITHUB_OWNER}/${given}`;
  const repository = full === null ? config.defaultRepository : githubRepositoryOf(full);
  if (repository === null) return fail("VALIDATION_FAILED", "name a repository as owner/name");
  if (!isAllowed(config, repository)) {
    return fail("FORBIDDEN", "the repository is not among GITHUB_REPOSITORIES");
  }
  return { ok: true, repository };
}

/** Every value that must not be told. */
export const secretsOf = (env: Optional): string[] =>
  [env.GITHUB_TOKEN, env.GITHUB_APP_PRIVATE_KEY].filter((secret) => secret !== undefined);
