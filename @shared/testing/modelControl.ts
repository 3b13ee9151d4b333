import { z } from "zod";

/** What a test asks of the model server: over HTTP from workerd, or in process. Nothing here needs node. */

/** Where `startModelServer` takes commands, as JSON by POST. */
export const MODEL_CONTROL_PATH = "/__control";

/**
 * What the server answers to one request for the model.
 * - `write`: a tool call that writes a whole file
 * - `replace`: a tool call that replaces the one place in a file where `find` stands
 * - `shell`: a tool call that runs a command
 * - `text`: the last word of a turn
 * - `empty`: an answer without text and without calls
 * - `rate-limit`: 429, with or without word of when to come back
 * - `quota`: the account has nothing left, as that vendor says it
 * - `status`: that HTTP status with the vendor's error body
 * - `slow`: the answer starts and goes on when the test releases it
 * - `cut`: the answer starts and the connection breaks
 */
export const ScriptStepSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("write"), file: z.string(), content: z.string() }),
  z.object({ kind: z.literal("replace"), file: z.string(), find: z.string(), replace: z.string() }),
  z.object({ kind: z.literal("shell"), command: z.string() }),
  z.object({ kind: z.literal("text"), text: z.string() }),
  z.object({ kind: z.literal("empty") }),
  z.object({ kind: z.literal("rate-limit"), retryAfterSeconds: z.number().int().nonnegative().optional() }),
  z.object({ kind: z.literal("quota") }),
  z.object({ kind: z.literal("status"), status: z.number().int().min(400).max(599), message: z.string().optional() }),
  z.object({ kind: z.literal("slow"), text: z.string() }),
  z.object({ kind: z.literal("cut"), text: z.string() }),
]);
export type ScriptStep = z.infer<typeof ScriptStepSchema>;

export const MODEL_PROTOCOLS = ["responses", "messages", "gemini", "chat"] as const;
export type ModelProtocol = (typeof MODEL_PROTOCOLS)[number];

/** A request for the model as it came. Keys are redacted in `headers` and `path`. */
export const ModelRequestSchema = z.object({
  n: z.number().int(),
  protocol: z.enum(MODEL_PROTOCOLS),
  method: z.string(),
  path: z.string(),
  headers: z.record(z.string(), z.string()),
  model: z.string(),
  stream: z.boolean(),
  /** The names of the tools the client offers. */
  tools: z.array(z.string()),
  /** The client's JSON, its key redacted by value. */
  body: z.unknown(),
  /** What was answered; null of a side call: a request without tools where the script calls for one. */
  step: ScriptStepSchema.nullable(),
  status: z.number().int().nullable(),
});
export type ModelRequest = z.infer<typeof ModelRequestSchema>;

export const ModelCommandSchema = z.discriminatedUnion("action", [
  /** Requests with this key follow these steps, the last one again and again. Said again, it begins anew. */
  z.object({ action: z.literal("script"), key: z.string().min(1), steps: z.array(ScriptStepSchema).min(1) }),
  z.object({ action: z.literal("requests"), key: z.string() }),
  /** Settles when a slow answer with this key has begun. */
  z.object({ action: z.literal("begun"), key: z.string() }),
  /** Lets slow answers with this key go on, now and later. */
  z.object({ action: z.literal("release"), key: z.string() }),
  /** Settles when the client has hung up on a slow answer. */
  z.object({ action: z.literal("left"), key: z.string() }),
]);
export type ModelCommand = z.infer<typeof ModelCommandSchema>;
