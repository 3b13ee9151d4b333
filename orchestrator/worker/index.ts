import { DurableObject } from "cloudflare:workers";
export class Workspace extends DurableObject<Env> {}
export { EventHub } from "./durable-objects/EventHub.ts";
export default { fetch: () => new Response("ok") } satisfies ExportedHandler<Env>;
