import { z } from "zod";

/** What a test asks of the Jules server, over HTTP from workerd or in process. Nothing here needs node. */

/** Where `startJulesServer` takes commands, as JSON by POST. */
export const JULES_CONTROL_PATH = "/__control";

export const JULES_STATES = [
  "QUEUED",
  "PLANNING",
  "AWAITING_PLAN_APPROVAL",
  "AWAITING_USER_FEEDBACK",
  "IN_PROGRESS",
  "PAUSED",
  "FAILED",
  "COMPLETED",
] as const;

/** One stretch of a session's life: a `GET` of the session ends it, a wait for a person ends with that person. */
export const JulesStepSchema = z.object({
  /** One of the API's, or one that it does not have yet. */
  state: z.string(),
  /** What is told from here on, as the API would: the server adds name, id and time. */
  activities: z.array(z.looseObject({})).default([]),
  outputs: z.array(z.looseObject({})).default([]),
});

export const JULES_CALLS = [
  "listSources",
  "createSession",
  "listSessions",
  "getSession",
  "listActivities",
  "approvePlan",
  "sendMessage",
] as const;
/** What goes wrong with some calls of one kind. */
export const JulesFaultSchema = z.object({
  call: z.enum(JULES_CALLS),
  /**
   * - a status: refused with it
   * - `lost`: carried out, and the connection breaks before the answer
   * - `hold`: answered when the test says so
   * - `huge`: an answer of many megabytes
   * - `nonsense`: 200 with what is no JSON
   */
  kind: z.union([z.number().int().min(400).max(599), z.enum(["lost", "hold", "huge", "nonsense"])]),
  retryAfterSeconds: z.number().int().nonnegative().optional(),
  message: z.string().optional(),
  /** How many such calls go well before. */
  after: z.number().int().nonnegative().default(0),
  times: z.number().int().positive().default(1),
});

export const JulesScriptSchema = z.object({
  /** The repositories that are connected. */
  sources: z
    .array(z.object({ owner: z.string(), repo: z.string(), branches: z.array(z.string()).default(["main"]) }))
    .default([{ owner: "acme", repo: "shop", branches: ["main"] }]),
  steps: z
    .array(JulesStepSchema)
    .min(1)
    .default([{ state: "COMPLETED", activities: [], outputs: [] }]),
  /** How many calls for a session's activities are answered with 404 before there are any. */
  activitiesMissing: z.number().int().nonnegative().default(0),
  faults: z.array(JulesFaultSchema).default([]),
  /** Most that a page has, whatever was asked for. */
  pageSize: z.number().int().positive().default(2),
});
export type JulesScript = z.input<typeof JulesScriptSchema>;

/** A call as it came, the key redacted. */
export const JulesRequestSchema = z.object({
  call: z.enum(JULES_CALLS),
  method: z.string(),
  path: z.string(),
  /** Null where there was none, or none that is JSON. */
  body: z.json(),
  status: z.number().int().nullable(),
});
export type JulesRequest = z.infer<typeof JulesRequestSchema>;

export const JulesSessionSchema = z.looseObject({
  name: z.string(),
  id: z.string(),
  title: z.string(),
  prompt: z.string(),
  state: z.string(),
  requirePlanApproval: z.boolean(),
});

export const JulesCommandSchema = z.discriminatedUnion("action", [
  /** Opens an account under this key; said again, it begins anew. */
  z.object({ action: z.literal("account"), key: z.string().min(1), script: JulesScriptSchema }),
  z.object({ action: z.literal("requests"), key: z.string() }),
  z.object({ action: z.literal("sessions"), key: z.string() }),
  /** Settles when a held call has come. */
  z.object({ action: z.literal("held"), key: z.string() }),
  z.object({ action: z.literal("release"), key: z.string() }),
]);
export type JulesCommand = z.input<typeof JulesCommandSchema>;
