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
  override fetch(request: Request): Promise<Response> {
    return this.serve((caller) => app.fetch(request, { ...this.env, CALLER: caller }, this.ctx));
  }
}
