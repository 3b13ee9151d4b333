import { DurableObject } from "cloudflare:workers";
export class Workspace extends DurableObject<Env> {}
export class EventHub extends DurableObject<Env> {}
export default { fetch: () => new Response("ok") } satisfies ExportedHandler<Env>;
