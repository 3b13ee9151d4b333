import { problemOf, vibeError } from "@shared/contracts";
import { BaseWorkerEntrypoint } from "@shared/worker-kit";
import { type Bindings, createCloudflareApp } from "./app.ts";

const app = createCloudflareApp({ now: () => Date.now() });

/** Cloudflare's API for Workers that are bound to this class: `env.CORE_CLOUDFLARE_API.fetch("https://core-cloudflare-api/v1/…")`. */
export class CloudflareApi extends BaseWorkerEntrypoint<Bindings> {
  override async fetch(request: Request): Promise<Response> {
    const caller = this.caller();
    if (caller === null) {
      const problem = problemOf(
        vibeError("UNAUTHENTICATED", "the binding does not name its caller: give it props {caller}"),
      );
      return Response.json(problem, {
        status: problem.status,
        headers: { "content-type": "application/problem+json" },
      });
    }
    return app.fetch(request, { ...this.env, CALLER: caller }, this.ctx);
  }
}
