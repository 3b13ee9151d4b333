import { BaseHealthCheck, describeWorker } from "@shared/worker-kit";
import { type HealthBindings, healthOf } from "./health.ts";

export { GithubApi } from "./GithubApi.ts";

/** Whether it is well, for who is bound. */
export class HealthCheck extends BaseHealthCheck<HealthBindings> {
  protected readonly health = healthOf(this.env);
}

export default {
  fetch: describeWorker<HealthBindings>("core-github-api", healthOf),
} satisfies ExportedHandler<HealthBindings>;
