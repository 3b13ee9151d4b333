import { problemOf, vibeError } from "@shared/contracts";
import { BaseWorkerEntrypoint } from "@shared/worker-kit";
import { createGithubApp } from "./app.ts";
import type { Bindings } from "./config.ts";

const clock = {
  now: () => Date.now(),
  sleep: (ms: number) =>
    new Promise<void>((resolve) => {
      setTimeout(resolve, ms);
    }),
};
const app = createGithubApp({ clock });

/** GitHub for Workers that are bound to this class: `env.CORE_GITHUB_API.fetch("https://core-github-api/v1/repo/…")`. */
export class GithubApi extends BaseWorkerEntrypoint<Bindings> {
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
