import { fail, type HealthCheckRpc, type Result, WorkerNameSchema } from "@shared/contracts";

/** A Worker whose health is checked: by its binding, or over HTTP where an address stands beside its name. */
export interface HealthTarget {
  name: string;
  url: string | null;
}

/** What HEALTH_WORKER_TARGETS names: `name` or `name=https://address`, with commas between them. */
export function healthTargets(env: Pick<Env, "HEALTH_WORKER_TARGETS">): HealthTarget[] {
  const targets = new Map<string, HealthTarget>();
  for (const entry of (env.HEALTH_WORKER_TARGETS ?? "").split(",")) {
    const [, name = "", url = null] = /^\s*([^=\s]+)\s*(?:=\s*(\S+))?\s*$/.exec(entry) ?? [];
    if (!WorkerNameSchema.safeParse(name).success) continue;
    targets.set(name, { name, url: url !== null && URL.canParse(url) ? url : null });
  }
  return [...targets.values()];
}

/** The targets of these names, all where none are given. NOT_FOUND names the first that is none. */
export function pickTargets(env: Env, names: readonly string[] | undefined): Result<{ targets: HealthTarget[] }> {
  const all = healthTargets(env);
  if (names === undefined) return { ok: true, targets: all };
  const byName = new Map(all.map((target) => [target.name, target]));
  const targets: HealthTarget[] = [];
  for (const name of new Set(names)) {
    const target = byName.get(name);
    if (!target) return fail("NOT_FOUND", `${name} is not among HEALTH_WORKER_TARGETS`);
    targets.push(target);
  }
  return { ok: true, targets };
}

/** A binding is a proxy that seems to have every method; contracts say what answers behind it. */
const isHealthCheck = (binding: unknown): binding is HealthCheckRpc => typeof binding === "object" && binding !== null;

/** The binding to a Worker's doors: HEALTH_AGENT_FACTORY; null where there is none. */
export function healthBindingOf(env: Env, name: string): HealthCheckRpc | null {
  const binding: unknown = Reflect.get(env, `HEALTH_${name.toUpperCase().replaceAll("-", "_")}`);
  return isHealthCheck(binding) ? binding : null;
}

/** What Workers elsewhere sign with; optional, as a deployment whose Workers are all bound has no need of it. */
export const healthSecretOf = ({ HEALTH_SECRET: secret }: Env & { HEALTH_SECRET?: string }): string | undefined =>
  secret;
