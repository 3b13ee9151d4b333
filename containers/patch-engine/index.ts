export { readTarball, TarballError } from "./archive/readTarball.ts";
export type { SnapshotManifest } from "./history/archive.ts";
export { rebuild, type History } from "./history/rebuild.ts";
export { restoreSnapshot } from "./history/restore.ts";
export type { Faults } from "./transaction/steps.ts";
export type { Engine } from "./workspace/Engine.ts";
export { openEngine, type OpenEngineOptions } from "./workspace/openEngine.ts";
