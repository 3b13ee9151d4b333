import { spawnSync } from "node:child_process";
import { z } from "zod";
import { ROOT } from "../repository.ts";

/** The docker program: wrangler's, where it is told one, so that both see the same engine in the same way. */
export const DOCKER = process.env.WRANGLER_DOCKER_BIN ?? "docker";

export interface Ran {
  ok: boolean;
  stdout: string;
  stderr: string;
}

/** Runs docker to its end. Never throws. */
export function tryDocker(...args: string[]): Ran {
  const run = spawnSync(DOCKER, args, { cwd: ROOT, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  return { ok: run.status === 0, stdout: run.stdout ?? "", stderr: run.error?.message ?? run.stderr };
}

/** What docker prints; throws with what it says where it fails. */
export function docker(...args: string[]): string {
  const run = tryDocker(...args);
  if (!run.ok) throw new Error(`docker ${args.join(" ")}: ${run.stderr.trim() || run.stdout.trim()}`);
  return run.stdout.trim();
}

const InspectedSchema = z.array(
  z.object({
    Id: z.string(),
    Config: z.object({
      Env: z.array(z.string()),
      User: z.string(),
      Labels: z.record(z.string(), z.string()).nullable(),
    }),
    State: z.object({ Status: z.string(), Health: z.object({ Status: z.string() }).optional() }).optional(),
  }),
);

export interface Inspected {
  id: string;
  user: string;
  env: ReadonlyMap<string, string>;
  status: string;
  health: string;
}

/** A container or an image as docker describes it. */
export function inspect(name: string): Inspected {
  const [found] = InspectedSchema.parse(JSON.parse(docker("inspect", name)));
  if (!found) throw new Error(`there is no ${name}`);
  const env = new Map(
    found.Config.Env.map((line): [string, string] => {
      const at = line.indexOf("=");
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
  const { Status: status = "none", Health: health } = found.State ?? {};
  return { id: found.Id, user: found.Config.User, env, status, health: health?.Status ?? "none" };
}

/** The running containers that are those of a workspace. */
export function containersOf(workspaceId: string): Inspected[] {
  const ids = docker("ps", "--no-trunc", "--quiet").split("\n").filter(Boolean);
  return ids.map(inspect).filter(({ env }) => env.get("VIBEHQ_WORKSPACE_ID") === workspaceId);
}
