import { AnswerHilSchema, HilRequestSchema } from "@shared/contracts";
import { respond } from "@shared/worker-kit";
import { z } from "zod";
import { answerHilRequest } from "../../services/hil/answerHilRequest.ts";
import { getHilRequest } from "../../services/hil/getHilRequest.ts";
import { listHilRequests, ListHilSchema } from "../../services/hil/listHilRequests.ts";
import { type App, fieldsOf, route } from "../route.ts";

const ok = z.literal(true);
const tag = "People";
const one = { name: "HilAnswer", schema: z.object({ ok, request: HilRequestSchema }) };

export function hilRoutes(app: App): void {
  route(
    app,
    {
      method: "get",
      path: "/api/hil",
      scope: "hil:read",
      tag,
      summary: "What was asked of people, newest first",
      query: ListHilSchema,
      response: {
        name: "HilList",
        schema: z.object({ ok, requests: z.array(HilRequestSchema), cursor: z.string().nullable() }),
      },
    },
    async (c, ctx, { query }) => respond(c, await listHilRequests(ctx, query)),
  );
  route(
    app,
    {
      method: "get",
      path: "/api/hil/{id}",
      scope: "hil:read",
      tag,
      summary: "A request to people",
      response: one,
    },
    async (c, ctx, { params }) => respond(c, await getHilRequest(ctx, { id: params.id ?? "" })),
  );
  route(
    app,
    {
      method: "post",
      path: "/api/hil/{id}/response",
      scope: "hil:write",
      tag,
      summary: "Answer a request; the first answer decides, and the run that waits goes on",
      body: { name: "AnswerHil", schema: AnswerHilSchema },
      response: one,
    },
    async (c, ctx, { params, body }) =>
      respond(c, await answerHilRequest(ctx, { ...fieldsOf(body), id: params.id ?? "" })),
  );
}
