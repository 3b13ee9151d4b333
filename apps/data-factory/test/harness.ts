import { env, exports } from "cloudflare:workers";
import type { BoundFactory, OrchestratorControl } from "@shared/worker-kit/testing";

/** What the pool binds for tests alone, and the entrypoint under test, typed by the interface it answers to. */
export const orchestrator = (env as unknown as { CONTROL: OrchestratorControl }).CONTROL;
const { Factory } = exports as unknown as { Factory: BoundFactory };
export const factory = Factory({ props: { caller: "orchestrator" } });
