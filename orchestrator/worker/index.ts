import { app } from "./app.ts";

export { EventHub } from "./durable-objects/EventHub.ts";
export { Workspace } from "./durable-objects/Workspace.ts";
export { FactoryOps } from "./entrypoints/FactoryOps.ts";
export { PatchOps } from "./entrypoints/PatchOps.ts";

export default { fetch: app.fetch } satisfies ExportedHandler<Env>;
