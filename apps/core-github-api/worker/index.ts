import { describeWorker } from "@shared/worker-kit";

export { GithubApi } from "./GithubApi.ts";

export default { fetch: describeWorker("core-github-api") } satisfies ExportedHandler<Env>;
