import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type CloudflareServer, type GithubServer, startCloudflareServer, startGithubServer } from "@shared/testing";
import { parse } from "jsonc-parser";
import { z } from "zod";
import { readDevVars, writeDevVars } from "../devVars.ts";
import { migrateLocal } from "../migrations.ts";
import { listWorkers, ROOT } from "../repository.ts";
import type { Child } from "./children.ts";
import { startEngine } from "./engine.ts";
import { freePort } from "./ports.ts";
import { claimStore } from "./store.ts";
import { startWorkers } from "./workers.ts";

/** All of ours as `npm start` starts it, between a local GitHub and a local Cloudflare. */
export interface NightStack {
  url: string;
  token: string;
  github: GithubServer;
  /** Good for the repository at the local GitHub. */
  githubToken: string;
  /** The first commit of the repository. */
  commit: string;
  cloudflare: CloudflareServer;
  /** Ends all of it; the store stays. */
  stop(): Promise<void>;
}

/**
 * Starts it with its store in `data`. Issues go to `repository` of the local GitHub, which is made, and CI runs come from
 * there; of others, those that GITHUB_REPOSITORIES names with it may be reached.
 */
export async function startNightStack(options: {
  data: string;
  /** `owner/name`. */
  repository: string;
  webhookSecret: string;
  instance?: string;
}): Promise<NightStack> {
  const { data, repository, webhookSecret } = options;
  const children: Child[] = [];
  const spawned = async (child: Child): Promise<void> => void children.push(child);
  const [github, cloudflare] = await Promise.all([startGithubServer(), startCloudflareServer()]);
  const release = claimStore(data);
  const stop = async (): Promise<void> => {
    for (const child of children.toReversed()) await child.end();
    await Promise.all([github.stop(), cloudflare.stop()]);
    release();
  };
  try {
    const { sha: commit = "" } = await github.run({ action: "addRepository", repository });
    const { token: githubToken = "" } = await github.run({ action: "addToken", repositories: [repository] });
    writeDevVars();
    await migrateLocal(data);
    const secrets = readDevVars(path.join(ROOT, "orchestrator/.dev.vars"));
    const engine = await startEngine({ data, token: secrets.ENGINE_TOKEN ?? "", sourceRoots: [data], spawned });
    const [owner = "", name = ""] = repository.split("/");
    const port = await freePort(0);
    const { url } = await startWorkers({
      data,
      port,
      vars: {
        ENGINE_URL: engine.url,
        INSTANCE: options.instance ?? `port-${port}`,
        GITHUB_OWNER: owner,
        GITHUB_REPO: name,
        GITHUB_WEB_URL: github.url,
        GITHUB_WEBHOOK_SECRET: webhookSecret,
      },
      configs: {
        "core-github-api": configWith(data, "core-github-api", {
          GITHUB_API_URL: github.url,
          GITHUB_GIT_URL: github.url,
          GITHUB_OWNER: owner,
          GITHUB_REPO: name,
          GITHUB_REPOSITORIES: repository,
          GITHUB_TOKEN: githubToken,
        }),
        "core-cloudflare-api": configWith(data, "core-cloudflare-api", {
          CLOUDFLARE_API_URL: cloudflare.url,
          CLOUDFLARE_ACCOUNT_ID: cloudflare.account,
          CLOUDFLARE_API_TOKEN: cloudflare.token,
        }),
      },
      spawned,
    });
    return { url, token: secrets.BOOTSTRAP_TOKEN ?? "", github, githubToken, commit, cloudflare, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A Worker's configuration with other variables: those that name where its outside is. */
function configWith(data: string, name: string, vars: Record<string, string>): string {
  const worker = listWorkers().find((one) => one.name === name);
  if (!worker) throw new Error(`there is no Worker ${name}`);
  const config = z
    .looseObject({ main: z.string(), vars: z.record(z.string(), z.string()) })
    .parse(parse(readFileSync(worker.configPath, "utf8")));
  const file = path.join(data, `${name}.json`);
  writeFileSync(
    file,
    JSON.stringify({ ...config, main: path.join(worker.directory, config.main), vars: { ...config.vars, ...vars } }),
  );
  return file;
}
