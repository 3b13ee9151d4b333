import {
  FiledGithubIssueSchema,
  GithubPullRequestSchema,
  MadePullRequestSchema,
  OrderPullRequestSchema,
} from "@shared/contracts";
import { respond } from "@shared/worker-kit";
import { z } from "zod";
import { listIssues, ListIssuesSchema } from "../../services/github/listIssues.ts";
import { listOrderPullRequests } from "../../services/github/listOrderPullRequests.ts";
import { listPullRequests, ListPullRequestsSchema } from "../../services/github/listPullRequests.ts";
import { openPullRequest, OpenPullRequestSchema } from "../../services/github/openPullRequest.ts";
import { pushOrderBranch, PushOrderBranchSchema } from "../../services/github/pushOrderBranch.ts";
import { type App, fieldsOf, route } from "../route.ts";

const ok = z.literal(true);
const tag = "GitHub";
const next = z.number().nullable();

export function githubRoutes(app: App): void {
  route(
    app,
    {
      method: "get",
      path: "/api/github/issues",
      scope: "github:read",
      tag,
      summary: "A repository's issues on GitHub, pull requests among them",
      query: ListIssuesSchema,
      response: { name: "GithubIssues", schema: z.object({ ok, issues: z.array(FiledGithubIssueSchema), next }) },
    },
    async (c, ctx, { query }) => respond(c, await listIssues(ctx, query)),
  );
  route(
    app,
    {
      method: "get",
      path: "/api/github/prs",
      scope: "github:read",
      tag,
      summary: "A repository's pull requests on GitHub",
      query: ListPullRequestsSchema,
      response: { name: "GithubPullRequests", schema: z.object({ ok, prs: z.array(MadePullRequestSchema), next }) },
    },
    async (c, ctx, { query }) => respond(c, await listPullRequests(ctx, query)),
  );
  route(
    app,
    {
      method: "get",
      path: "/api/orders/{orderId}/pull-requests",
      scope: "orders:read",
      tag,
      summary: "An order's pull requests as GitHub last told of them, with the state of their checks",
      response: {
        name: "OrderPullRequests",
        schema: z.object({ ok, pull_requests: z.array(OrderPullRequestSchema) }),
      },
    },
    async (c, ctx, { params }) => respond(c, await listOrderPullRequests(ctx, { orderId: params.orderId ?? "" })),
  );
  route(
    app,
    {
      method: "post",
      path: "/api/orders/{orderId}/branch",
      scope: "orders:write",
      tag,
      summary: "Push an order's work to its branch on GitHub",
      body: { name: "PushOrderBranch", schema: PushOrderBranchSchema },
      emptyBody: {},
      response: {
        name: "OrderBranch",
        schema: z.object({
          ok,
          repository: z.string(),
          branch: z.string(),
          commit: z.string(),
          parent: z.string().nullable(),
          pushed: z.boolean(),
        }),
      },
    },
    async (c, ctx, { params, body }) =>
      respond(c, await pushOrderBranch(ctx, { ...fieldsOf(body), orderId: params.orderId ?? "" })),
  );
  route(
    app,
    {
      method: "post",
      path: "/api/orders/{orderId}/pull-request",
      scope: "orders:write",
      tag,
      summary: "Push an order's work and open a pull request for it, or find the one that is open",
      body: { name: "OpenPullRequest", schema: OpenPullRequestSchema },
      emptyBody: {},
      status: 201,
      response: {
        name: "PullRequestOpened",
        schema: z.object({ ok, pullRequest: GithubPullRequestSchema, created: z.boolean() }),
      },
    },
    async (c, ctx, { params, body }) => {
      const result = await openPullRequest(ctx, { ...fieldsOf(body), orderId: params.orderId ?? "" });
      return respond(c, result, result.ok && result.created ? 201 : 200);
    },
  );
}
