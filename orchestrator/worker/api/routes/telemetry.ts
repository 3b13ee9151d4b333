import {
  AgentTelemetrySchema,
  type Failed,
  HilTelemetrySchema,
  OpsTelemetrySchema,
  PipelineTelemetrySchema,
} from "@shared/contracts";
import { respond } from "@shared/worker-kit";
import type { ServiceContext } from "../../context.ts";
import { getAgentTelemetry } from "../../services/telemetry/getAgentTelemetry.ts";
import { getHilTelemetry } from "../../services/telemetry/getHilTelemetry.ts";
import { getOpsTelemetry } from "../../services/telemetry/getOpsTelemetry.ts";
import { getPipelineTelemetry } from "../../services/telemetry/getPipelineTelemetry.ts";
import { type App, type NamedSchema, route } from "../route.ts";

export function telemetryRoutes(app: App): void {
  const telemetry = (
    part: string,
    summary: string,
    response: NamedSchema,
    read: (ctx: ServiceContext) => Promise<{ ok: true } | Failed>,
  ): void =>
    route(
      app,
      { method: "get", path: `/api/telemetry/${part}`, scope: "patches:read", tag: "Telemetry", summary, response },
      async (c, ctx) => respond(c, await read(ctx)),
    );
  telemetry(
    "pipeline",
    "What is under way, and how much gets through",
    { name: "PipelineTelemetry", schema: PipelineTelemetrySchema },
    getPipelineTelemetry,
  );
  telemetry(
    "agents",
    "Which factories and providers work on what",
    { name: "AgentTelemetry", schema: AgentTelemetrySchema },
    getAgentTelemetry,
  );
  telemetry(
    "ops",
    "Whether scans, the hub and delivery work",
    { name: "OpsTelemetry", schema: OpsTelemetrySchema },
    getOpsTelemetry,
  );
  telemetry("hil", "What waits for a person", { name: "HilTelemetry", schema: HilTelemetrySchema }, getHilTelemetry);
}
