import { availableParallelism } from "node:os";
import { delimiter, isAbsolute } from "node:path";
import {
  CLI_PROVIDERS,
  CliProviderSchema,
  fail,
  MAX_BATCH_BYTES,
  type CliProvider,
  type Result,
} from "@shared/contracts";
import { z } from "zod";
import { type PushRemotes, readPushRemotes } from "./push/remotes.ts";

export interface HostConfig {
  /** 0: any free port. */
  port: number;
  hostname: string;
  /** The bearer token that every route but health and metrics asks for. */
  token: string;
  /** Absolute directory of the workspaces. */
  dataDir: string;
  /** Template name → absolute directory. */
  templates: ReadonlyMap<string, string>;
  /** Absolute directories that git, path and archive sources may be read from. */
  sourceRoots: readonly string[];
  /** Where workspaces may be pushed to; none: nowhere. */
  pushRemotes: PushRemotes;
  limits: BodyLimits;
  /** How many engines stay open while they are idle. */
  maxOpenEngines: number;
  /** How long a stopping host waits for what still runs, in milliseconds. */
  drainMs: number;
  /** The programs of CLI agents, where they are not to be found by name in PATH: provider → absolute path. */
  agentPrograms: ReadonlyMap<CliProvider, string>;
  /** Whether a container around this host holds its agents in. */
  agentsAreContained: boolean;
  /** How many runs of CLI agents go on at once. */
  maxAgentRuns: number;
  /** Stop gracefully when stdin ends, so that the host does not outlive the process that started it. */
  stopWithStdin: boolean;
}

/** Bytes of a request's body. */
export interface BodyLimits {
  /** For what carries a batch: a batch, and some room for what stands around it. */
  batch: number;
  /** For what carries an archive or a log. */
  bulk: number;
  /** For all else. */
  small: number;
}

const MIB = 1024 * 1024;
const ROOM_AROUND_A_BATCH = 64 * 1024;

const EnvironmentSchema = z.object({
  ENGINE_PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  ENGINE_HOST: z.string().min(1).default("127.0.0.1"),
  ENGINE_TOKEN: z.string({ error: "is required" }).min(1, "is required"),
  ENGINE_DATA: z.string({ error: "is required" }).refine(isAbsolute, "must be an absolute path"),
  ENGINE_TEMPLATES: z.string().default(""),
  ENGINE_SOURCE_ROOTS: z.string().default(""),
  ENGINE_PUSH_REMOTES: z.string().default("https://github.com"),
  ENGINE_MAX_BODY_BYTES: z.coerce
    .number()
    .int()
    .positive()
    .default(48 * MIB),
  ENGINE_MAX_OPEN: z.coerce
    .number()
    .int()
    .positive()
    .default(Math.max(64, 16 * availableParallelism())),
  ENGINE_DRAIN_MS: z.coerce.number().int().nonnegative().default(30_000),
  AGENT_PROGRAMS: z.string().default(""),
  AGENT_CONTAINED: z.enum(["", "0", "1"]).default(""),
  AGENT_MAX_RUNS: z.coerce
    .number()
    .int()
    .positive()
    .default(Math.max(4, 2 * availableParallelism())),
  ENGINE_STOP_WITH_STDIN: z.enum(["", "0", "1"]).default(""),
});

/** Reads the host's environment; on VALIDATION_FAILED the message names the variable and never shows a value. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Result<{ config: HostConfig }> {
  const parsed = EnvironmentSchema.safeParse(environment);
  if (!parsed.success) {
    const issues = parsed.error.issues.map((issue) => `${issue.path.join(".")} ${issue.message}`);
    return fail("VALIDATION_FAILED", issues.join("; "));
  }
  const env = parsed.data;

  const templates = new Map<string, string>();
  for (const pair of env.ENGINE_TEMPLATES.split(",").filter(Boolean)) {
    const at = pair.indexOf("=");
    const [name, directory] = [pair.slice(0, at), pair.slice(at + 1)];
    if (at < 1 || !/^[a-z0-9][a-z0-9-]*$/.test(name) || !isAbsolute(directory)) {
      return fail("VALIDATION_FAILED", "ENGINE_TEMPLATES must be name=/absolute/directory, separated by commas");
    }
    templates.set(name, directory);
  }
  const sourceRoots = env.ENGINE_SOURCE_ROOTS.split(delimiter).filter(Boolean);
  if (!sourceRoots.every((root) => isAbsolute(root))) {
    return fail("VALIDATION_FAILED", `ENGINE_SOURCE_ROOTS must be absolute directories, separated by ${delimiter}`);
  }

  const pushRemotes = readPushRemotes(env.ENGINE_PUSH_REMOTES);
  if (pushRemotes === null) {
    return fail("VALIDATION_FAILED", "ENGINE_PUSH_REMOTES must be https addresses without credentials, with commas");
  }

  const agentPrograms = new Map<CliProvider, string>();
  for (const pair of env.AGENT_PROGRAMS.split(",").filter(Boolean)) {
    const at = pair.indexOf("=");
    const provider = CliProviderSchema.safeParse(pair.slice(0, at));
    const program = pair.slice(at + 1);
    if (!provider.success || !isAbsolute(program)) {
      const known = CLI_PROVIDERS.join(", ");
      return fail(
        "VALIDATION_FAILED",
        `AGENT_PROGRAMS must be provider=/absolute/path, separated by commas, of ${known}`,
      );
    }
    agentPrograms.set(provider.data, program);
  }

  const bulk = env.ENGINE_MAX_BODY_BYTES;
  return {
    ok: true,
    config: {
      port: env.ENGINE_PORT,
      hostname: env.ENGINE_HOST,
      token: env.ENGINE_TOKEN,
      dataDir: env.ENGINE_DATA,
      templates,
      sourceRoots,
      pushRemotes,
      limits: { bulk, batch: Math.min(bulk, MAX_BATCH_BYTES + ROOM_AROUND_A_BATCH), small: Math.min(bulk, MIB) },
      maxOpenEngines: env.ENGINE_MAX_OPEN,
      drainMs: env.ENGINE_DRAIN_MS,
      agentPrograms,
      agentsAreContained: env.AGENT_CONTAINED === "1",
      maxAgentRuns: env.AGENT_MAX_RUNS,
      stopWithStdin: env.ENGINE_STOP_WITH_STDIN === "1",
    },
  };
}
