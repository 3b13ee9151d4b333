export * from "./BaseWorkerEntrypoint.ts";
export * from "./logger.ts";
