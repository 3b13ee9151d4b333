import { z } from "zod";

/** What steers a fault proxy over HTTP; imports nothing of node, so tests inside workerd can use it. */

export const FAULT_CONTROL_PATH = "/__control";

/** Which requests a fault is for. An absent field matches all. */
export const RequestMatchSchema = z.object({
  method: z.string().optional(),
  /** A part of the request's path, as sent or percent-decoded. */
  path: z.string().optional(),
  /** A part of the request's body. */
  body: z.string().optional(),
});
export type RequestMatch = z.infer<typeof RequestMatchSchema>;

/**
 * - `hold`: keeps the request back until released, then forwards it.
 * - `delayUntil`: forwards at once, keeps the answer back until released.
 * - `dropAfterApply`: forwards, waits for the target's answer, then destroys the client's connection.
 * - `duplicate`: sends the request to the target twice, one after the other, and passes on the second answer.
 * - `refuse`: destroys the client's connection; the target sees nothing.
 */
export const FaultKindSchema = z.enum(["hold", "delayUntil", "dropAfterApply", "duplicate", "refuse"]);
export type FaultKind = z.infer<typeof FaultKindSchema>;

export const SeenRequestSchema = z.object({
  /** Counts the requests that reached the proxy, from 1. */
  n: z.number().int().positive(),
  method: z.string(),
  path: z.string(),
  body: z.string(),
  /** The fault it met. */
  fault: FaultKindSchema.nullable(),
  /** The statuses with which the target answered, in order; empty while or where it did not. */
  statuses: z.array(z.number().int()),
});
export type SeenRequest = z.infer<typeof SeenRequestSchema>;

export const FaultCommandSchema = z.discriminatedUnion("action", [
  z.object({
    action: z.literal("fault"),
    kind: FaultKindSchema,
    match: RequestMatchSchema.default({}),
    times: z.number().int().positive().default(1),
  }),
  z.object({ action: z.literal("arrived"), id: z.string() }),
  z.object({ action: z.literal("applied"), id: z.string() }),
  z.object({ action: z.literal("done"), id: z.string() }),
  z.object({ action: z.literal("release"), id: z.string() }),
  z.object({ action: z.literal("passThrough") }),
  z.object({ action: z.literal("seen") }),
]);
export type FaultCommand = z.input<typeof FaultCommandSchema>;

const FaultReplySchema = z.object({
  id: z.string().optional(),
  request: SeenRequestSchema.optional(),
  seen: z.array(SeenRequestSchema).optional(),
});

/** A fault set from afar: `Fault` of the proxy, with each barrier a call that answers once it is passed. */
export interface RemoteFault {
  id: string;
  arrived(): Promise<SeenRequest>;
  applied(): Promise<SeenRequest>;
  done(): Promise<SeenRequest>;
  release(): Promise<void>;
}

export interface FaultControl {
  set(kind: FaultKind, match?: RequestMatch, times?: number): Promise<RemoteFault>;
  /** Removes every fault and releases what is held. */
  passThrough(): Promise<void>;
  seen(): Promise<SeenRequest[]>;
}

/** Steers the fault proxy at `proxyUrl` by fetch. */
export function faultControl(proxyUrl: string): FaultControl {
  const send = async (command: FaultCommand) => {
    const response = await fetch(new URL(FAULT_CONTROL_PATH, proxyUrl), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(command),
    });
    if (!response.ok) throw new Error(`the fault proxy refused ${command.action}: ${await response.text()}`);
    return FaultReplySchema.parse(await response.json());
  };
  const requestOf = async (action: "arrived" | "applied" | "done", id: string): Promise<SeenRequest> => {
    const { request } = await send({ action, id });
    if (!request) throw new Error(`the fault proxy answered ${action} without a request`);
    return request;
  };
  return {
    async set(kind, match = {}, times = 1) {
      const { id } = await send({ action: "fault", kind, match, times });
      if (id === undefined) throw new Error("the fault proxy answered without an id");
      return {
        id,
        arrived: () => requestOf("arrived", id),
        applied: () => requestOf("applied", id),
        done: () => requestOf("done", id),
        release: async () => {
          await send({ action: "release", id });
        },
      };
    },
    passThrough: async () => {
      await send({ action: "passThrough" });
    },
    seen: async () => (await send({ action: "seen" })).seen ?? [],
  };
}
