import {
  createRootRoute,
  createRoute,
  createRouter,
  Link,
  lazyRouteComponent,
  Outlet,
  redirect,
} from "@tanstack/react-router";
import { Compass } from "lucide-react";
import { z } from "zod";
import { ApiError, queryClient } from "./api/client.ts";
import { sessionQuery } from "./api/queries.ts";
import { Problem } from "./components/problems.tsx";
import { Shell } from "./components/shell.tsx";
import { Empty, SkeletonRows } from "./components/ui/surface.tsx";
import { LogFilterSchema } from "./logs/filter.ts";
import { StreamFilterSchema } from "./stream/filter.ts";

const text = z.string().min(1).max(300).optional().catch(undefined);
const day = z.iso.date().optional().catch(undefined);

const root = createRootRoute({
  component: Outlet,
  notFoundComponent: () => (
    <main className="flex min-h-dvh items-center justify-center">
      <Empty icon={<Compass />} title="There is no such page">
        The address may be of something that was renamed.{" "}
        <Link to="/" className="text-accent-ink hover:underline">
          To the overview
        </Link>
      </Empty>
    </main>
  ),
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: z.object({ next: text }),
  component: lazyRouteComponent(() => import("./pages/signIn.tsx")),
});

/** Everything but the sign-in page asks who is there first. */
const shell = createRoute({
  getParentRoute: () => root,
  id: "shell",
  beforeLoad: async ({ location }) => {
    try {
      await queryClient.ensureQueryData(sessionQuery);
    } catch (error) {
      // Without an answer the page is shown all the same: it says what does not answer.
      if (error instanceof ApiError && error.detail.code === "UNAUTHENTICATED")
        throw redirect({ to: "/sign-in", search: { next: location.href } });
    }
  },
  component: Shell,
});

const overview = createRoute({
  getParentRoute: () => shell,
  path: "/",
  component: lazyRouteComponent(() => import("./pages/overview.tsx")),
});

export const PatchPanelSearchSchema = z.object({
  patch: text,
  view: z.enum(["split", "unified"]).optional().catch(undefined),
  ws: z.enum(["hide"]).optional().catch(undefined),
});

const live = createRoute({
  getParentRoute: () => shell,
  path: "/live",
  validateSearch: StreamFilterSchema.extend(PatchPanelSearchSchema.shape),
  component: lazyRouteComponent(() => import("./pages/live.tsx")),
});

const orders = createRoute({
  getParentRoute: () => shell,
  path: "/orders",
  validateSearch: z.object({ q: text, status: text, factory: text, project: text }),
  component: lazyRouteComponent(() => import("./pages/orders.tsx")),
});

const order = createRoute({
  getParentRoute: () => shell,
  path: "/orders/$orderId",
  validateSearch: z
    .object({
      tab: z.enum(["timeline", "files", "replay", "report"]).optional().catch(undefined),
      seq: z.number().int().nonnegative().optional().catch(undefined),
      file: text,
    })
    .extend(PatchPanelSearchSchema.shape),
  component: lazyRouteComponent(() => import("./pages/order.tsx")),
});

const analytics = createRoute({
  getParentRoute: () => shell,
  path: "/analytics",
  validateSearch: z.object({
    range: z.enum(["7d", "30d", "90d", "365d"]).optional().catch(undefined),
    from: day,
    to: day,
    project: text,
    order: text,
    group: z.enum(["weekly", "daily", "phase", "order", "provider"]).optional().catch(undefined),
    sort: text,
    desc: z.boolean().optional().catch(undefined),
  }),
  component: lazyRouteComponent(() => import("./pages/analytics.tsx")),
});

const delivery = createRoute({
  getParentRoute: () => shell,
  path: "/delivery",
  validateSearch: z.object({ order: text, q: text }),
  component: lazyRouteComponent(() => import("./pages/delivery.tsx")),
});

const providers = createRoute({
  getParentRoute: () => shell,
  path: "/providers",
  validateSearch: z.object({ provider: text, task: text }),
  component: lazyRouteComponent(() => import("./pages/providers.tsx")),
});

const executions = createRoute({
  getParentRoute: () => shell,
  path: "/executions",
  validateSearch: z.object({ status: text, provider: text, order: text, task: text }),
  component: lazyRouteComponent(() => import("./pages/executions.tsx")),
});

const execution = createRoute({
  getParentRoute: () => shell,
  path: "/executions/$executionId",
  validateSearch: z.object({
    tab: z.enum(["output", "change", "prompt", "decision"]).optional().catch(undefined),
    attempt: z.number().int().positive().optional().catch(undefined),
  }),
  component: lazyRouteComponent(() => import("./pages/execution.tsx")),
});

const deadLetters = createRoute({
  getParentRoute: () => shell,
  path: "/dead-letters",
  validateSearch: z.object({ status: text, letter: text }),
  component: lazyRouteComponent(() => import("./pages/deadLetters.tsx")),
});

const people = createRoute({
  getParentRoute: () => shell,
  path: "/people",
  validateSearch: z.object({ status: text, request: text }),
  component: lazyRouteComponent(() => import("./pages/people.tsx")),
});

const ops = createRoute({
  getParentRoute: () => shell,
  path: "/ops",
  component: lazyRouteComponent(() => import("./pages/ops.tsx")),
});
/** Its tabs have an address each; the page is one, so that going from one to the other reads nothing twice. */
const opsTabs = [
  createRoute({
    getParentRoute: () => ops,
    path: "/",
    beforeLoad: () => {
      throw redirect({ to: "/ops/summary", replace: true });
    },
  }),
  createRoute({ getParentRoute: () => ops, path: "/summary" }),
  createRoute({ getParentRoute: () => ops, path: "/scans" }),
] as const;

/** One list at two addresses: of all that scans found, and of what concerns a project. */
const issues = createRoute({
  getParentRoute: () => shell,
  id: "issue-list",
  validateSearch: z.object({
    status: text,
    kind: text,
    severity: z.number().int().optional().catch(undefined),
    worker: text,
    repo: text,
    seen: z.enum(["day", "week"]).optional().catch(undefined),
  }),
  component: lazyRouteComponent(() => import("./pages/issues.tsx")),
});
const issueLists = [
  createRoute({ getParentRoute: () => issues, path: "/issues" }),
  createRoute({ getParentRoute: () => issues, path: "/projects/$projectId/issues" }),
] as const;

const issue = createRoute({
  getParentRoute: () => shell,
  path: "/issues/$issueId",
  component: lazyRouteComponent(() => import("./pages/issue.tsx")),
});

/** Of the deployment's default repository, and of a project's. */
const pullRequests = createRoute({
  getParentRoute: () => shell,
  id: "pull-requests",
  validateSearch: z.object({
    state: z.enum(["closed", "all"]).optional().catch(undefined),
    tab: z.enum(["issues"]).optional().catch(undefined),
  }),
  component: lazyRouteComponent(() => import("./pages/pullRequests.tsx")),
});
const pullRequestLists = [
  createRoute({ getParentRoute: () => pullRequests, path: "/prs" }),
  createRoute({ getParentRoute: () => pullRequests, path: "/projects/$projectId/prs" }),
] as const;

const health = createRoute({
  getParentRoute: () => shell,
  path: "/health",
  validateSearch: z.object({
    tab: z.enum(["workers", "checks", "schedules"]).optional().catch(undefined),
    worker: text,
    check: text,
  }),
  component: lazyRouteComponent(() => import("./pages/health.tsx")),
});

const settings = createRoute({
  getParentRoute: () => shell,
  path: "/settings",
  validateSearch: z.object({ tab: z.enum(["tokens", "sessions"]).optional().catch(undefined) }),
  component: lazyRouteComponent(() => import("./pages/settings.tsx")),
});

const logs = createRoute({
  getParentRoute: () => shell,
  path: "/logs",
  validateSearch: LogFilterSchema.extend({
    tab: z.enum(["schedules"]).optional().catch(undefined),
    row: z.number().int().optional().catch(undefined),
  }),
  component: lazyRouteComponent(() => import("./pages/logs.tsx")),
});

const alerts = createRoute({
  getParentRoute: () => shell,
  path: "/alerts",
  validateSearch: z.object({
    tab: z.enum(["webhooks"]).optional().catch(undefined),
    status: z.enum(["open", "resolved"]).optional().catch(undefined),
    webhook: text,
  }),
  component: lazyRouteComponent(() => import("./pages/alerts.tsx")),
});

export const router = createRouter({
  routeTree: root.addChildren([
    signIn,
    shell.addChildren([
      overview,
      live,
      orders,
      order,
      people,
      executions,
      execution,
      providers,
      deadLetters,
      analytics,
      delivery,
      ops.addChildren(opsTabs),
      issues.addChildren(issueLists),
      issue,
      pullRequests.addChildren(pullRequestLists),
      health,
      logs,
      alerts,
      settings,
    ]),
  ]),
  defaultPreload: "intent",
  defaultPendingMs: 150,
  defaultPendingComponent: () => <SkeletonRows />,
  defaultErrorComponent: ({ error, reset }) => <Problem error={error} retry={reset} />,
  scrollRestoration: false,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
