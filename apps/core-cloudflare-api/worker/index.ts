import { appHealth, type AppHealthBindings, BaseHealthCheck, describeWorker } from "@shared/worker-kit";

type Bindings = Omit<Env, keyof AppHealthBindings> & AppHealthBindings;

export { CloudflareApi } from "./CloudflareApi.ts";

/** What it is tested for; Cloudflare itself is none of its bindings. */
const healthOf = (env: Bindings) => appHealth(env, { worker: "core-cloudflare-api", type: "api", bindings: [] });

/** Whether it is well, for who is bound. */
export class HealthCheck extends BaseHealthCheck<Bindings> {
  protected readonly health = healthOf(this.env);
}

export default { fetch: describeWorker<Bindings>("core-cloudflare-api", healthOf) } satisfies ExportedHandler<Bindings>;
