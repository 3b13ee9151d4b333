import type { ServiceContext } from "../../context.ts";
import { publish } from "../phase/publish.ts";

/** What is said of a Worker's health. The same `key` is the same alert: it may be handed over more than once. */
export interface HealthAlert {
  key: string;
  kind: "down" | "up" | "flapping" | "settled" | "missed-run" | "stuck-run";
  severity: "critical" | "warning" | "info";
  subject: string;
  message: string;
  code: string | null;
  at: string;
}

/** Alerts of health stand in the chain of this workspace, and reach the hub's rooms as its messages. */
const WORKSPACE = "health";

/** Hands an alert over. Throws where it could not be, so that the caller tries again. */
export async function tellAlert(ctx: ServiceContext, alert: HealthAlert): Promise<void> {
  const { key, kind, severity, subject, code, at } = alert;
  const told = await publish(ctx, {
    type: "server_log",
    workspaceId: WORKSPACE,
    phase: "health",
    message: alert.message,
    data: { alert: { key, kind, severity, subject, code, at } },
  });
  if (!told.ok) throw new Error(`the hub did not take an alert: ${told.error.code}`);
  ctx.log.warn("an alert of health", { ...alert });
}
