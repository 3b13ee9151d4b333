import { BaseWorkerEntrypoint } from "@shared/worker-kit";
import { type Bindings, createCloudflareApp } from "./app.ts";

const app = createCloudflareApp({ now: () => Date.now() });

/** Cloudflare's API for Workers that are bound to this class: `env.CORE_CLOUDFLARE_API.fetch("https://core-cloudflare-api/v1/…")`. */
export class CloudflareApi extends BaseWorkerEntrypoint<Bindings> {
  override fetch(request: Request): Promise<Response> {
    return this.serve((caller) => app.fetch(request, { ...this.env, CALLER: caller }, this.ctx));
  }
}
