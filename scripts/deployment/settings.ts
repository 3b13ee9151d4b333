import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { applyEdits, modify, parse } from "jsonc-parser";
import { z } from "zod";
import { readDevVars } from "../devVars.ts";
import { parseWranglerConfig, readJsonc } from "../repository.ts";

/** What a deployment is, beside the code: docs/deployment/deployment.example.jsonc. No secret stands in it. */
export const SettingsSchema = z.strictObject({
  /** Names the instance in health, logs and cookies. */
  instance: z
    .string()
    .regex(/^[a-z][a-z0-9-]{1,39}$/, "expected a short name in lower case")
    .refine(
      (name) => !/^(?:local|port-\d+)$/.test(name),
      "this name is a local instance's: it may reach its own machine",
    ),
  /** Where the orchestrator answers once it is deployed. */
  url: z.url({ protocol: /^https$/ }),
  /** Whether engine hosts run as Cloudflare Containers; else `engineUrl` says where they are. */
  containers: z.boolean(),
  engineUrl: z.url({ protocol: /^https$/ }).optional(),
  /** The ids that `wrangler d1 create` printed, by binding. */
  databases: z.record(
    z.string(),
    z.uuid().refine((id) => !id.startsWith("00000000-"), "still the example's id"),
  ),
  /** Other variables of the orchestrator. */
  vars: z.record(z.string(), z.string()).default({}),
  /** Variables of the Workers in apps/, by their names. */
  workers: z.record(z.string(), z.record(z.string(), z.string())).default({}),
});
export type Settings = z.infer<typeof SettingsSchema>;

export type Read<T> = { ok: true; value: T } | { ok: false; problems: string[] };

export function readSettings(file: string): Read<Settings> {
  if (!existsSync(file)) {
    return {
      ok: false,
      problems: [`${file} is missing: copy docs/deployment/deployment.example.jsonc and fill it in`],
    };
  }
  const parsed = SettingsSchema.safeParse(readJsonc(file));
  if (!parsed.success) {
    return {
      ok: false,
      problems: parsed.error.issues.map(({ path, message }) => `${file}: ${path.join(".")}: ${message}`),
    };
  }
  const { containers, engineUrl } = parsed.data;
  return containers === (engineUrl !== undefined)
    ? { ok: false, problems: [`${file}: either containers is true, or engineUrl says where engine hosts answer`] }
    : { ok: true, value: parsed.data };
}

/**
 * The orchestrator's configuration as it is deployed: the settings' ids and variables, and, while some Workers are not there
 * yet, without the bindings to them, which the platform would refuse.
 */
export function deployedConfig(text: string, settings: Settings, absent: ReadonlySet<string>): Read<string> {
  const config = parseWranglerConfig(parse(text, [], { allowTrailingComma: true }));
  const problems: string[] = [];
  let made = text;
  const set = (path: (string | number)[], value: unknown): void => {
    made = applyEdits(made, modify(made, path, value, { formattingOptions: { tabSize: 2, insertSpaces: true } }));
  };
  for (const [index, { binding }] of (config.d1_databases ?? []).entries()) {
    const id = settings.databases[binding];
    if (id === undefined) problems.push(`databases.${binding}: no id`);
    else set(["d1_databases", index, "database_id"], id);
  }
  const vars: Record<string, string> = { ...settings.vars, INSTANCE: settings.instance };
  if (settings.engineUrl !== undefined) vars.ENGINE_URL = settings.engineUrl;
  for (const [name, value] of Object.entries(vars)) set(["vars", name], value);
  const services = config.services ?? [];
  if (absent.size > 0)
    set(
      ["services"],
      services.filter(({ service }) => !absent.has(String(service))),
    );
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value: made };
}

const OptionalSecretsSchema = z.looseObject({ optionalSecrets: z.record(z.string(), z.array(z.string())).default({}) });

/** The secrets that Workers may do without, by their names; none where the checkout shares nothing. */
export function optionalSecrets(root: string): Record<string, string[]> {
  const file = path.join(root, "wrangler.base.jsonc");
  return existsSync(file) ? OptionalSecretsSchema.parse(readJsonc(file)).optionalSecrets : {};
}

/** The secrets of a file, JSON or `NAME=value`. */
export function readSecrets(file: string): Record<string, string> {
  const text = readFileSync(file, "utf8");
  if (!text.trimStart().startsWith("{")) return readDevVars(file);
  return z.record(z.string(), z.string()).parse(JSON.parse(text));
}
