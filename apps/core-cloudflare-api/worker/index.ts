import { describeWorker } from "@shared/worker-kit";

export { CloudflareApi } from "./CloudflareApi.ts";

export default { fetch: describeWorker("core-cloudflare-api") } satisfies ExportedHandler<Env>;
