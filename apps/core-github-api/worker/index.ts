import { appHealth, type AppHealthBindings, BaseHealthCheck, describeWorker } from "@shared/worker-kit";

type Bindings = Omit<Env, keyof AppHealthBindings> & AppHealthBindings;

export { GithubApi } from "./GithubApi.ts";

/** What it is tested for; GitHub itself is none of its bindings. */
const healthOf = (env: Bindings) => appHealth(env, { worker: "core-github-api", type: "api", bindings: [] });

/** Whether it is well, for who is bound. */
export class HealthCheck extends BaseHealthCheck<Bindings> {
  protected readonly health = healthOf(this.env);
}

export default { fetch: describeWorker<Bindings>("core-github-api", healthOf) } satisfies ExportedHandler<Bindings>;
