import { createHash, randomBytes } from "node:crypto";

/** What the local GitHub holds beside its git repositories. */

export type Access = "read" | "write";
/** What a token may do, by the names GitHub gives permissions. */
export interface Permissions {
  contents?: Access;
  issues?: Access;
  pull_requests?: Access;
  metadata?: "read";
  actions?: Access;
}

/** Who a token stands for. */
export interface Principal {
  kind: "user" | "installation";
  login: string;
  token: string;
  /** `owner/name` of each repository it reaches. */
  repositories: ReadonlySet<string> | "all";
  permissions: Permissions;
  /** Milliseconds since 1970; null: never. */
  expiresAt: number | null;
}

interface Comment {
  id: number;
  body: string;
  author: string;
  /** The App through which it was written. */
  app: number | null;
  created_at: string;
  updated_at: string;
}

interface Pull {
  head: string;
  base: string;
  draft: boolean;
  merged_at: string | null;
}

export interface Issue {
  id: number;
  number: number;
  title: string;
  body: string | null;
  state: "open" | "closed";
  labels: string[];
  assignees: string[];
  author: string;
  created_at: string;
  updated_at: string;
  closed_at: string | null;
  comments: Comment[];
  pull: Pull | null;
}

export interface Repository {
  id: number;
  owner: string;
  name: string;
  private: boolean;
  defaultBranch: string;
  /** The bare repository on disk. */
  path: string;
  hasIssues: boolean;
  issues: Issue[];
  runs: Run[];
}

/** A run of a workflow. */
export interface Attempt {
  status: "completed" | "in_progress";
  conclusion: string | null;
  /** The log of each job by the name of its file; null: the logs are gone. */
  logs: Record<string, string> | null;
}

/** What is said of a run itself is of its newest attempt. */
export interface Run extends Attempt {
  id: number;
  name: string;
  head_sha: string;
  /** Milliseconds since 1970. */
  createdAt: number;
  /** Attempts before the newest, the first one first. */
  earlier: Attempt[];
}

/** A GitHub App with one installation. */
export interface App {
  id: string;
  installationId: number;
  publicKeyPem: string;
  repositories: Set<string>;
  permissions: Permissions;
  suspended: boolean;
}

/** A refusal in GitHub's own form. */
export class Refusal extends Error {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly headers: Record<string, string>;

  constructor(
    status: number,
    message: string,
    more: Record<string, unknown> = {},
    headers: Record<string, string> = {},
  ) {
    super(message);
    this.status = status;
    this.body = { message, documentation_url: "https://docs.github.com/rest", status: String(status), ...more };
    this.headers = headers;
  }
}

export interface FieldError {
  resource: string;
  field?: string;
  code: "missing" | "missing_field" | "invalid" | "already_exists" | "custom" | "unprocessable";
  message?: string;
}

export const notFound = (): Refusal => new Refusal(404, "Not Found");
export const invalid = (...errors: FieldError[]): Refusal => new Refusal(422, "Validation Failed", { errors });

/** A token in the form GitHub gives them: a prefix that says what it is, then 36 letters and digits. */
export function mintToken(prefix: "ghp" | "ghs"): string {
  const letters = randomBytes(64)
    .toString("base64")
    .replaceAll(/[^A-Za-z0-9]/g, "");
  return `${prefix}_${letters.padEnd(36, "0").slice(0, 36)}`;
}

export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

export class World {
  readonly repositories = new Map<string, Repository>();
  readonly tokens = new Map<string, Principal>();
  readonly apps = new Map<string, App>();
  /** Links to log archives, each good for a minute. */
  readonly links = new Map<string, { logs: Record<string, string>; until: number }>();
  #ids = 1_000;
  #offset = 0;

  /** Milliseconds since 1970 by this server's clock, which tests move forward. */
  now(): number {
    return Date.now() + this.#offset;
  }

  advance(ms: number): void {
    this.#offset += ms;
  }

  timestamp(): string {
    return `${new Date(this.now()).toISOString().slice(0, 19)}Z`;
  }

  id(): number {
    this.#ids += 1;
    return this.#ids;
  }

  /** Owner and name in any case, as GitHub takes them. */
  repository(owner: string, name: string): Repository | undefined {
    return this.repositories.get(`${owner}/${name}`.toLowerCase());
  }

  /** What a token may do in a repository; null: it cannot even see it. */
  permissionsIn(principal: Principal | null, repository: Repository): Permissions | null {
    const full = `${repository.owner}/${repository.name}`.toLowerCase();
    if (principal && (principal.repositories === "all" || principal.repositories.has(full))) {
      return { metadata: "read", ...principal.permissions };
    }
    return repository.private
      ? null
      : { metadata: "read", contents: "read", issues: "read", pull_requests: "read", actions: "read" };
  }

  addIssue(repository: Repository, author: string, fields: Partial<Issue> & { title: string }): Issue {
    const now = this.timestamp();
    const issue: Issue = {
      id: this.id(),
      number: repository.issues.length + 1,
      body: null,
      state: "open",
      labels: [],
      assignees: [],
      author,
      created_at: now,
      updated_at: now,
      closed_at: null,
      comments: [],
      pull: null,
      ...fields,
    };
    repository.issues.push(issue);
    return issue;
  }
}
