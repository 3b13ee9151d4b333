import {
  CheckOutcomeSchema,
  CustodyRecordSchema,
  HeadSchema,
  PatchBatchSchema,
  PatchEventSchema,
} from "@shared/contracts";
import { respond } from "@shared/worker-kit";
import { z } from "zod";
import { applyPatches } from "../../services/patch/applyPatches.ts";
import { exportCustody, ExportCustodySchema } from "../../services/patch/exportCustody.ts";
import { getPatch } from "../../services/patch/getPatch.ts";
import { getPatchDiff } from "../../services/patch/getPatchDiff.ts";
import { recordEvents, RecordEventsSchema } from "../../services/patch/recordEvents.ts";
import { revertPatches, RevertSchema } from "../../services/patch/revertPatches.ts";
import { simulatePatches } from "../../services/patch/simulatePatches.ts";
import { validateBatch, ValidateBatchSchema } from "../../services/patch/validateBatch.ts";
import { verifyChain, VerifyChainSchema } from "../../services/patch/verifyChain.ts";
import { applyAnswer, MAX_BATCH_BODY_BYTES } from "../applied.ts";
import { type App, route } from "../route.ts";

const ok = z.literal(true);
const tag = "Patches";
const batch = { name: "PatchBatch", schema: PatchBatchSchema };

export function patchRoutes(app: App): void {
  changeRoutes(app);
  readRoutes(app);
}

function changeRoutes(app: App): void {
  route(
    app,
    {
      method: "post",
      path: "/api/patches/apply",
      scope: "patches:write",
      tag,
      summary: "Apply a batch of patches: all of them or none",
      body: batch,
      maxBodyBytes: MAX_BATCH_BODY_BYTES,
      response: applyAnswer,
    },
    async (c, ctx, { body }) => respond(c, await applyPatches(ctx, body)),
  );
  route(
    app,
    {
      method: "post",
      path: "/api/patches/simulate",
      scope: "patches:read",
      tag,
      summary: "Plan and check a batch, write nothing",
      body: batch,
      maxBodyBytes: MAX_BATCH_BODY_BYTES,
      response: applyAnswer,
    },
    async (c, ctx, { body }) => respond(c, await simulatePatches(ctx, body)),
  );
  route(
    app,
    {
      method: "post",
      path: "/api/patches/validate",
      scope: "patches:write",
      tag,
      summary: "Run the workspace's own check on what a batch left",
      body: { name: "ValidateBatch", schema: ValidateBatchSchema },
      response: {
        name: "ValidateAnswer",
        schema: z.object({ ok, checks: z.array(CheckOutcomeSchema), results: z.array(PatchEventSchema) }),
      },
    },
    async (c, ctx, { body }) => respond(c, await validateBatch(ctx, body)),
  );
  route(
    app,
    {
      method: "post",
      path: "/api/patches/revert",
      scope: "patches:revert",
      tag,
      summary: "Undo a patch, a batch or a task",
      body: { name: "Revert", schema: RevertSchema },
      response: applyAnswer,
    },
    async (c, ctx, { body }) => respond(c, await revertPatches(ctx, body)),
  );
  route(
    app,
    {
      method: "post",
      path: "/api/patches/events",
      scope: "events:write",
      tag,
      summary: "Take in events of an engine that stood alone; known ones change nothing",
      body: { name: "RecordEvents", schema: RecordEventsSchema },
      maxBodyBytes: MAX_BATCH_BODY_BYTES,
      response: { name: "EventsRecorded", schema: z.object({ ok, recorded: z.number(), known: z.number() }) },
    },
    async (c, ctx, { body }) => respond(c, await recordEvents(ctx, body)),
  );
}

function readRoutes(app: App): void {
  route(
    app,
    {
      method: "get",
      path: "/api/patches/verify",
      scope: "patches:read",
      tag,
      summary: "Verify a workspace's custody chain",
      query: VerifyChainSchema,
      response: {
        name: "ChainVerified",
        schema: z.object({ ok, workspaceId: z.string(), head: HeadSchema, entries: z.number(), delivered: z.number() }),
      },
    },
    async (c, ctx, { query }) => respond(c, await verifyChain(ctx, query)),
  );
  route(
    app,
    {
      method: "get",
      path: "/api/patches/custody",
      scope: "patches:read",
      tag,
      summary: "Custody chains as NDJSON: a workspace's, in pages if asked, or all that an order has events in",
      query: ExportCustodySchema,
    },
    async (c, ctx, { query }) => {
      const exported = await exportCustody(ctx, query);
      if (!exported.ok) return respond(c, exported);
      const { ndjson, next } = exported;
      return new Response(ndjson, {
        headers: {
          "content-type": "application/x-ndjson; charset=utf-8",
          ...(next === null ? {} : { "x-next-after": String(next) }),
        },
      });
    },
  );
  route(
    app,
    {
      method: "get",
      path: "/api/patches/{patchId}",
      scope: "patches:read",
      tag,
      summary: "A patch, its life and its diff",
      response: {
        name: "PatchAnswer",
        schema: z.object({
          ok,
          patch: PatchEventSchema,
          events: z.array(CustodyRecordSchema),
          diff: z.string().nullable(),
        }),
      },
    },
    async (c, ctx, { params }) => respond(c, await getPatch(ctx, { patchId: params.patchId ?? "" })),
  );
  route(
    app,
    {
      method: "get",
      path: "/api/patches/{patchId}/diff",
      scope: "patches:read",
      tag,
      summary: "A patch as a unified diff",
      response: { name: "PatchDiff", schema: z.object({ ok, diff: z.string() }) },
    },
    async (c, ctx, { params }) => respond(c, await getPatchDiff(ctx, { patchId: params.patchId ?? "" })),
  );
}
