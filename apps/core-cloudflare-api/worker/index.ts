import { BaseHealthCheck, describeWorker } from "@shared/worker-kit";
import { type HealthBindings, healthOf } from "./health.ts";

export { CloudflareApi } from "./CloudflareApi.ts";

/** Whether it is well, for who is bound. */
export class HealthCheck extends BaseHealthCheck<HealthBindings> {
  protected readonly health = healthOf(this.env);
}

export default {
  fetch: describeWorker<HealthBindings>("core-cloudflare-api", healthOf),
} satisfies ExportedHandler<HealthBindings>;
