import { createApp, createLogger, readLogWindow, respond } from "@shared/worker-kit";
import { queryTelemetry } from "./queryTelemetry.ts";

/** A binding that a deployment sets as a secret, or leaves out. */
export type Bindings = Env & { CLOUDFLARE_API_TOKEN?: string };

/** The HTTP door to Cloudflare's API, for what this house reads of it. */
export function createCloudflareApp({ now }: { now: () => number }) {
  const app = createApp<Bindings & { CALLER: string }>({
    logger: (env) =>
      createLogger({
        fields: { worker: "core-cloudflare-api", caller: env.CALLER },
        secrets: env.CLOUDFLARE_API_TOKEN === undefined ? [] : [env.CLOUDFLARE_API_TOKEN],
      }),
  });
  // `?window=24h`, or `from` and `to`; `cursor` leads on.
  app.get("/v1/logs/workers", async (c) => {
    const read = readLogWindow(c.req.query(), now());
    return read.ok ? respond(c, await queryTelemetry(c.env, read.window, c.var.log)) : respond(c, read);
  });
  return app;
}
