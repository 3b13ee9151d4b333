import { existsSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { fromCaller, ROOT } from "../repository.ts";

/** What ends a command with one line for the person at the terminal and exit code 1. */
export class StartError extends Error {}

export interface StartOptions {
  /** Where the Workers answer; 0 takes a free port. */
  port: number;
  /** Everything that outlives a run: databases, workspaces, logs. */
  data: string;
  /** A git repository to use as the workspace's source instead of the sample; only ever read. */
  repo: string | null;
  /** Run the sample order, print its outcome, end. */
  once: boolean;
  /** One JSON line on stdout when ready; everything else on stderr. */
  json: boolean;
  /** The schedules run as they would deployed; off where what they do would be in the way. */
  cron: boolean;
}

export function parseOptions(args: string[]): StartOptions {
  let values;
  try {
    ({ values } = parseArgs({
      args,
      allowNegative: true,
      options: {
        port: { type: "string", default: "8787" },
        data: { type: "string" },
        repo: { type: "string" },
        once: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        cron: { type: "boolean", default: true },
      },
    }));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartError(`${reason}. Known: --once, --repo PATH, --port N, --data DIR, --json, --no-cron.`);
  }
  const port = Number(values.port);
  if (!/^\d+$/.test(values.port) || port > 65_535) throw new StartError(`--port ${values.port} is no port number.`);
  const repo = values.repo === undefined ? null : fromCaller(values.repo);
  if (repo !== null && !existsSync(repo)) throw new StartError(`--repo ${values.repo} does not exist.`);
  return {
    port,
    data: values.data === undefined ? path.join(ROOT, ".vibehq") : fromCaller(values.data),
    repo,
    once: values.once,
    json: values.json,
    cron: values.cron,
  };
}
