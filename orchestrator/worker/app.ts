import { createApp } from "@shared/worker-kit";
import type { App } from "./api/route.ts";
import { aiProviderRoutes } from "./api/routes/aiProviders.ts";
import { aiExecutionRoutes } from "./api/routes/aiExecutions.ts";
import { alertRoutes } from "./api/routes/alerts.ts";
import { analyticsRoutes } from "./api/routes/analytics.ts";
import { authRoutes } from "./api/routes/auth.ts";
import { deliveryRoutes } from "./api/routes/delivery.ts";
import { docsRoutes } from "./api/routes/docs.ts";
import { githubRoutes } from "./api/routes/github.ts";
import { healthRoutes } from "./api/routes/health.ts";
import { hilRoutes } from "./api/routes/hil.ts";
import { healthDoorRoutes } from "./api/routes/healthDoors.ts";
import { logRoutes } from "./api/routes/logs.ts";
import { mcpRoutes } from "./api/routes/mcp.ts";
import { opsRoutes } from "./api/routes/ops.ts";
import { orderRoutes } from "./api/routes/orders.ts";
import { patchRoutes } from "./api/routes/patches.ts";
import { projectRoutes } from "./api/routes/projects.ts";
import { replayRoutes } from "./api/routes/replay.ts";
import { socketRoutes } from "./api/routes/socket.ts";
import { taskRoutes } from "./api/routes/tasks.ts";
import { telemetryRoutes } from "./api/routes/telemetry.ts";
import { webhookRoutes } from "./api/routes/webhooks.ts";
import { workspaceRoutes } from "./api/routes/workspaces.ts";
import { loggerOf } from "./context.ts";
import { databaseErrorOf } from "./services/databaseError.ts";

/** The REST door: every route of the orchestrator. */
function createOrchestratorApp(): App {
  const app: App = createApp<Env>({ logger: loggerOf, errorOf: databaseErrorOf });
  workspaceRoutes(app);
  // Before `/api/patches/{patchId}`, which would take their names for a patch's.
  analyticsRoutes(app);
  patchRoutes(app);
  orderRoutes(app);
  deliveryRoutes(app);
  replayRoutes(app);
  projectRoutes(app);
  taskRoutes(app);
  aiProviderRoutes(app);
  githubRoutes(app);
  aiExecutionRoutes(app);
  hilRoutes(app);
  opsRoutes(app);
  authRoutes(app);
  telemetryRoutes(app);
  logRoutes(app);
  alertRoutes(app);
  healthRoutes(app);
  webhookRoutes(app);
  mcpRoutes(app);
  healthDoorRoutes(app);
  socketRoutes(app);
  docsRoutes(app);
  return app;
}

export const app = createOrchestratorApp();
