import { app } from "./app.ts";
import { queue } from "./queues.ts";
import { scheduled } from "./schedule.ts";

export { EventHub } from "./durable-objects/EventHub.ts";
export { Workspace } from "./durable-objects/Workspace.ts";
export { DeliveryReports } from "./entrypoints/DeliveryReports.ts";
export { FactoryOps } from "./entrypoints/FactoryOps.ts";
export { LoggingOps } from "./entrypoints/LoggingOps.ts";
export { PatchOps } from "./entrypoints/PatchOps.ts";

export default { fetch: app.fetch, queue, scheduled } satisfies ExportedHandler<Env>;
