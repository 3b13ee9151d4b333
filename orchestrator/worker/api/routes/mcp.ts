import { problem } from "@shared/worker-kit";
import { z } from "zod";
import { answerMcp } from "../../services/mcp/answerMcp.ts";
import { type App, route } from "../route.ts";

/** One message of JSON-RPC 2.0; the protocol's own schemas say the rest. */
const McpMessageSchema = z.looseObject({
  jsonrpc: z.literal("2.0"),
  id: z.union([z.string(), z.number()]).optional(),
  method: z.string().optional(),
  params: z.looseObject({}).optional(),
});

/**
 * The endpoint of the Model Context Protocol: each message is one POST, answered as JSON. Nothing is streamed and no
 * session kept, so there is no GET and no DELETE.
 */
export function mcpRoutes(app: App): void {
  route(
    app,
    {
      method: "post",
      path: "/mcp",
      scope: "bearer",
      tag: "Agents",
      summary: "Model Context Protocol: tools over GitHub and what scans found, as far as the token's scopes allow",
      body: { name: "McpMessage", schema: McpMessageSchema },
      response: { name: "McpAnswer", schema: z.looseObject({ jsonrpc: z.literal("2.0") }) },
    },
    async (c, ctx, { body }) => {
      const answered = await answerMcp(ctx, body, c.req.header("mcp-protocol-version") ?? null);
      return answered.ok ? answered.response : problem(c, answered.error);
    },
  );
}
