import { describeWorker } from "@shared/worker-kit";

export default { fetch: describeWorker("core-github-api") } satisfies ExportedHandler<Env>;
