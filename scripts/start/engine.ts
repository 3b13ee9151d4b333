import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { readJsonc, ROOT } from "../repository.ts";
import { Child } from "./children.ts";
import { StartError } from "./options.ts";

/** Template name → directory: each app that brings a `template/` gives it its own name. */
export function listTemplates(): Record<string, string> {
  const apps = path.join(ROOT, "apps");
  return Object.fromEntries(
    readdirSync(apps)
      .map((name): [string, string] => [name, path.join(apps, name, "template")])
      .filter(([, directory]) => existsSync(directory)),
  );
}

const BaseSchema = z.object({ optionalSecrets: z.record(z.string(), z.array(z.string())) });

/**
 * This environment without the providers' keys and other secrets that may stand in it for Workers: a run is handed its own, and
 * what runs at the host could read the others in the host's environment.
 */
function hostEnvironment(): NodeJS.ProcessEnv {
  const { optionalSecrets } = BaseSchema.parse(readJsonc(path.join(ROOT, "wrangler.base.jsonc")));
  const keys = new Set(Object.values(optionalSecrets).flat());
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !keys.has(name)));
}

/** Starts the engine host on a free port of the loopback interface and waits for its word that it is ready. */
export async function startEngine(options: {
  data: string;
  token: string;
  sourceRoots: string[];
  spawned(child: Child): Promise<void>;
}): Promise<{ url: string; child: Child }> {
  const templates = Object.entries(listTemplates()).map(([name, directory]) => `${name}=${directory}`);
  const log = path.join(options.data, "logs/engine.log");
  const child = new Child(
    "the engine host",
    process.execPath,
    [path.join(ROOT, "containers/factory-base/bin/host.ts")],
    {
      cwd: ROOT,
      log,
      env: {
        ...hostEnvironment(),
        ENGINE_PORT: "0",
        ENGINE_HOST: "127.0.0.1",
        ENGINE_TOKEN: options.token,
        ENGINE_DATA: path.join(options.data, "workspaces"),
        ENGINE_TEMPLATES: templates.join(","),
        ENGINE_SOURCE_ROOTS: options.sourceRoots.join(path.delimiter),
        ENGINE_STOP_WITH_STDIN: "1",
      },
    },
  );
  await options.spawned(child);
  const ready = new Promise<string>((resolve) => {
    child.onLine((line) => {
      const url = /^\{"ready":true,.*"url":"([^"]+)"/.exec(line)?.[1];
      if (url) resolve(url);
    });
  });
  const ended = child.exited.then((code) => {
    throw new StartError(`The engine host ended with ${code ?? "a signal"} before it was ready; see ${log}.`);
  });
  return { url: await Promise.race([ready, ended]), child };
}
