import { app } from "./app.ts";
import { queue } from "./queues.ts";
import { scheduled } from "./schedule.ts";

export { EventHub } from "./durable-objects/EventHub.ts";
export { ProviderState } from "./durable-objects/ProviderState.ts";
export { Workspace } from "./durable-objects/Workspace.ts";
export { AIProviderOps } from "./entrypoints/AIProviderOps.ts";
export { DeliveryReports } from "./entrypoints/DeliveryReports.ts";
export { FactoryOps } from "./entrypoints/FactoryOps.ts";
export { HealthOps } from "./entrypoints/HealthOps.ts";
export { LoggingOps } from "./entrypoints/LoggingOps.ts";
export { OpsScan } from "./entrypoints/OpsScan.ts";
export { PatchOps } from "./entrypoints/PatchOps.ts";
export { AgentExecution } from "./workflows/AgentExecution.ts";

export default { fetch: app.fetch, queue, scheduled } satisfies ExportedHandler<Env>;
