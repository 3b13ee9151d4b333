import { z } from "zod";

/** What steers the local GitHub server over HTTP; imports nothing of node, so tests inside workerd can use it. */

export const GITHUB_CONTROL_PATH = "/__control";

const AccessSchema = z.enum(["read", "write"]);
const PermissionsSchema = z.object({
  contents: AccessSchema.optional(),
  issues: AccessSchema.optional(),
  pull_requests: AccessSchema.optional(),
  actions: AccessSchema.optional(),
});

/**
 * What befalls the next `times` requests whose method and path match.
 * - `status`: it is answered with this and not carried out
 * - `hold`: it waits until the fault is released, then is carried out
 * - `reset`: the connection breaks, nothing is carried out
 * - `lose`: it is carried out, and the connection breaks instead of an answer
 * - `secondary`: the secondary rate limit, with Retry-After unless that is null
 * - `redirect`: 301 to this address
 */
export const GithubFaultSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("status"),
    status: z.number().int().min(400).max(599),
    message: z.string().default("scripted"),
    headers: z.record(z.string(), z.string()).default({}),
    /** The answer's text, where it is not GitHub's JSON. */
    text: z.string().optional(),
  }),
  z.object({ kind: z.literal("hold") }),
  z.object({ kind: z.literal("reset") }),
  z.object({ kind: z.literal("lose") }),
  z.object({ kind: z.literal("secondary"), retryAfterSeconds: z.number().int().nonnegative().nullable() }),
  z.object({ kind: z.literal("redirect"), to: z.string() }),
]);
export type GithubFault = z.infer<typeof GithubFaultSchema>;

export const SeenGithubRequestSchema = z.object({
  method: z.string(),
  /** With its query. */
  path: z.string(),
  status: z.number().int().nullable(),
  /** The token it came with. */
  token: z.string().nullable(),
  ifNoneMatch: z.string().nullable(),
});
export type SeenGithubRequest = z.infer<typeof SeenGithubRequestSchema>;

const repository = z.string().regex(/^[\w.-]+\/[\w.-]+$/);
export const GithubCommandSchema = z.discriminatedUnion("action", [
  z.object({
    action: z.literal("addRepository"),
    repository,
    private: z.boolean().default(true),
    /** The files of its first commit on `main`; null: an empty repository. */
    files: z.record(z.string(), z.string()).nullable().default({ "README.md": "# Hello\n" }),
    hasIssues: z.boolean().default(true),
  }),
  z.object({
    action: z.literal("addToken"),
    repositories: z.union([z.literal("all"), z.array(repository)]),
    permissions: PermissionsSchema.default({
      contents: "write",
      issues: "write",
      pull_requests: "write",
      actions: "read",
    }),
    login: z.string().optional(),
  }),
  z.object({
    action: z.literal("addApp"),
    repositories: z.array(repository),
    permissions: PermissionsSchema.default({
      contents: "write",
      issues: "write",
      pull_requests: "write",
      actions: "read",
    }),
  }),
  z.object({ action: z.literal("revokeToken"), token: z.string() }),
  z.object({ action: z.literal("addIssues"), repository, count: z.number().int().min(1).max(5_000) }),
  z.object({
    action: z.literal("addRuns"),
    repository,
    runs: z.array(
      z.object({
        name: z.string().default("ci"),
        head_sha: z.string().regex(/^[0-9a-f]{40}$/),
        status: z.enum(["completed", "in_progress"]).default("completed"),
        conclusion: z.string().nullable().default("failure"),
        /** Milliseconds since 1970. */
        at: z.number().int(),
        logs: z.record(z.string(), z.string()).nullable().default({}),
      }),
    ),
  }),
  /** A run is run again, as its next attempt: it keeps its number and when it was created. */
  z.object({
    action: z.literal("rerun"),
    repository,
    id: z.number().int(),
    status: z.enum(["completed", "in_progress"]).default("completed"),
    conclusion: z.string().nullable().default("failure"),
    logs: z.record(z.string(), z.string()).nullable().default({}),
  }),
  /** Runs that are in progress fail. */
  z.object({ action: z.literal("endRuns"), repository }),
  z.object({
    action: z.literal("commit"),
    repository,
    branch: z.string(),
    files: z.record(z.string(), z.string().nullable()),
    message: z.string().optional(),
    /** The branch is made here where it is not there yet. */
    from: z.string().optional(),
  }),
  /** Git's own words about a repository, such as `["show", "main:README.md"]`. */
  z.object({ action: z.literal("git"), repository, args: z.array(z.string()) }),
  z.object({
    action: z.literal("fault"),
    method: z.string().optional(),
    /** A part of the path. */
    path: z.string().optional(),
    times: z.number().int().positive().default(1),
    fault: GithubFaultSchema,
  }),
  z.object({ action: z.literal("arrived"), id: z.string() }),
  z.object({ action: z.literal("release"), id: z.string() }),
  z.object({
    action: z.literal("limits"),
    limits: z.object({
      core: z.number().int().optional(),
      search: z.number().int().optional(),
      contentPerMinute: z.number().int().optional(),
      concurrent: z.number().int().optional(),
    }),
  }),
  z.object({ action: z.literal("advance"), ms: z.number().int() }),
  /** The requests seen, all or those whose path has this in it. */
  z.object({ action: z.literal("seen"), path: z.string().optional() }),
]);
export type GithubCommand = z.input<typeof GithubCommandSchema>;

export const GithubReplySchema = z.object({
  id: z.string().optional(),
  token: z.string().optional(),
  app: z.object({ appId: z.string(), installationId: z.string(), privateKey: z.string() }).optional(),
  sha: z.string().optional(),
  /** The numbers of the runs that were added. */
  runs: z.array(z.number().int()).optional(),
  text: z.string().optional(),
  seen: z.array(SeenGithubRequestSchema).optional(),
});
export type GithubReply = z.infer<typeof GithubReplySchema>;

/** Steers the server at `url` by fetch. */
export async function steerGithub(url: string, command: GithubCommand): Promise<GithubReply> {
  const response = await fetch(new URL(GITHUB_CONTROL_PATH, url), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(command),
  });
  if (!response.ok) throw new Error(`the GitHub server refused ${command.action}: ${await response.text()}`);
  return GithubReplySchema.parse(await response.json());
}
