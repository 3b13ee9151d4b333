import { z } from "zod";

/** What steers the local Cloudflare API over HTTP; imports nothing of node, so tests inside workerd can use it. */

export const CLOUDFLARE_CONTROL_PATH = "/__control";

export const TelemetryEventSchema = z.object({
  worker: z.string(),
  level: z.enum(["debug", "info", "warn", "error"]),
  message: z.string(),
  /** Milliseconds since 1970. */
  timestamp: z.number().int(),
  /** The tag of the deployed version. */
  tag: z.string().optional(),
});
export type TelemetryEvent = z.infer<typeof TelemetryEventSchema>;

export const CloudflareCommandSchema = z.discriminatedUnion("action", [
  z.object({ action: z.literal("log"), events: z.array(TelemetryEventSchema) }),
  /** The next `times` queries are answered with this, or their connection breaks (0). */
  z.object({ action: z.literal("fail"), status: z.number().int(), times: z.number().int().positive().default(1) }),
  z.object({ action: z.literal("reset") }),
  z.object({ action: z.literal("queries") }),
]);
export type CloudflareCommand = z.input<typeof CloudflareCommandSchema>;
const ReplySchema = z.object({ queries: z.number().int() });

/** Steers the server at `url` by fetch. */
export async function steerCloudflare(url: string, command: CloudflareCommand): Promise<z.infer<typeof ReplySchema>> {
  const response = await fetch(new URL(CLOUDFLARE_CONTROL_PATH, url), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(command),
  });
  if (!response.ok) throw new Error(`the Cloudflare server refused ${command.action}: ${await response.text()}`);
  return ReplySchema.parse(await response.json());
}
