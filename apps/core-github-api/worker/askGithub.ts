import type { Result } from "@shared/contracts";
import { createLogger } from "@shared/worker-kit";
import { type ConfigBindings, readConfig, resolveRepository, secretsOf } from "./config.ts";
import { Clients } from "./github/Clients.ts";
import { listIssues } from "./verbs.ts";

const clients = new Clients({
  clock: { now: () => Date.now(), sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) },
});

/** Whether GitHub answers for the repository that is meant where none is named: one issue of it, by a conditional request. */
export async function askGithub(env: ConfigBindings): Promise<Result<object>> {
  const read = readConfig(env);
  if (!read.ok) return read;
  const { config } = read;
  const resolved = resolveRepository(config, env, null);
  if (!resolved.ok) return resolved;
  const secrets = secretsOf(env);
  const log = createLogger({ fields: { worker: "core-github-api" }, secrets });
  return listIssues(
    { client: clients.of(config, secrets), config, repository: resolved.repository, log },
    { state: "all", per_page: "1" },
  );
}
