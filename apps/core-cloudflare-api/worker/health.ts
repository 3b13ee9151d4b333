import { appHealth, type AppHealthBindings, createLogger, upstream } from "@shared/worker-kit";
import { queryTelemetry, type TelemetryBindings } from "./queryTelemetry.ts";

export type HealthBindings = TelemetryBindings & AppHealthBindings;

/** What it is tested for: Cloudflare's answer to the least of its questions too, where it has a token to ask with. */
export const healthOf = (env: HealthBindings) =>
  appHealth(env, {
    worker: "core-cloudflare-api",
    type: "api",
    bindings: env.CLOUDFLARE_API_TOKEN ? [upstream("cloudflare", () => askCloudflare(env))] : [],
  });

/** One event of the last minute. */
function askCloudflare(env: HealthBindings) {
  const log = createLogger({ fields: { worker: "core-cloudflare-api" }, secrets: [env.CLOUDFLARE_API_TOKEN ?? ""] });
  const to = new Date();
  return queryTelemetry(env, { from: new Date(to.getTime() - 60_000), to, cursor: null }, log, 1);
}
