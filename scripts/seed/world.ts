import { FACTORIES, type FactoryName, type OrderStatus, type TaskStatus } from "@shared/contracts";
import { type Random, randomOf } from "@shared/testing/random";
import { planYear } from "@shared/testing/seededYear";

/** A year of work, made up: the same for the same seed, last day and number of events. */

interface Project {
  id: string;
  name: string;
  repository: string;
  /** Whether its batches are type-checked. */
  typed: boolean;
  files: [string, ...string[]];
  createdAt: number;
}

interface Task {
  id: string;
  title: string;
  status: TaskStatus;
}

export interface Order {
  id: string;
  project: Project;
  workspaceId: string;
  factory: FactoryName;
  title: string;
  provider: { name: string; model: string } | null;
  /** Patches it takes. */
  size: number;
  done: number;
  status: OrderStatus;
  tasks: Task[];
  createdAt: number;
  updatedAt: number;
}

export interface SeedPatch {
  id: string;
  file: string;
  op: string;
  task: Task;
  added: number;
  removed: number;
  /** Of a refused one. */
  error: { code: string; message: string } | null;
}

/** Times are milliseconds since 1970. */
export interface Batch {
  id: string;
  order: Order;
  phase: string;
  requestedAt: number;
  settledAt: number;
  /** Null: no type check ran. */
  checked: boolean | null;
  revertedAt: number | null;
  patches: SeedPatch[];
}

export interface World {
  projects: Project[];
  /** Every branch of every project has its own. */
  workspaceIds: string[];
  orders: Order[];
  batches: Batch[];
}

/** Events that a patch has on average, as the chances below have it. */
const EVENTS_A_PATCH = 2.8;
const DAY_MS = 86_400_000;

const PROJECTS = [
  ["atlas-web", "Atlas, the customers' site", true],
  ["atlas-api", "Atlas, its API", true],
  ["billing", "Billing and invoices", true],
  ["checkout", "Checkout", true],
  ["data-lake", "Ingestion jobs", true],
  ["docs-site", "Documentation site", false],
  ["fleet-agents", "Agents of the fleet", true],
  ["identity", "Sign-in and sessions", true],
  ["mobile-shell", "Shell of the mobile app", true],
  ["notifications", "Mail and push", true],
  ["reports", "Reports", true],
  ["theme-kit", "Styles shared by all", false],
] as const;
const FOLDERS = ["src", "src/api", "src/components", "src/lib", "src/pages", "src/workers", "test"] as const;
const NAMES = [
  "account",
  "cart",
  "client",
  "form",
  "index",
  "invoice",
  "layout",
  "list",
  "query",
  "router",
  "schema",
  "session",
  "store",
  "table",
  "worker",
] as const;
const VERBS = ["Add", "Rework", "Fix", "Extend", "Simplify", "Speed up"] as const;
const OBJECTS = [
  "the order form",
  "search",
  "pagination",
  "the import of customers",
  "error pages",
  "the settings page",
  "webhooks",
  "the price table",
  "audit events",
  "the upload of files",
  "dark mode",
  "rate limits",
] as const;
const PHASES = ["scaffold", "implementation", "refinement", "validation"] as const;
const OPS = [
  ["replace-block", 38],
  ["insert-after", 16],
  ["search-replace", 14],
  ["insert-before", 8],
  ["append", 7],
  ["create-file", 6],
  ["replace-marker", 5],
  ["apply-diff", 4],
  ["prepend", 1.2],
  ["rename-file", 0.5],
  ["delete-file", 0.3],
] as const;
const PROVIDERS: readonly (readonly [Order["provider"], number])[] = [
  [{ name: "jules", model: "jules-2" }, 26],
  [{ name: "claude-code", model: "claude-sonnet" }, 22],
  [{ name: "codex", model: "gpt-codex" }, 16],
  [{ name: "gemini-cli", model: "gemini-pro" }, 10],
  [{ name: "workers-ai", model: "llama-coder" }, 6],
  [null, 20],
];
/** How much longer than others a provider's batches take. */
const PACE: Record<string, number> = { jules: 1.5, "claude-code": 1, codex: 1.1, "gemini-cli": 0.9, "workers-ai": 0.6 };

type Failure = (random: Random, file: string) => { code: string; message: string };
const FAILURES: readonly (readonly [Failure, number])[] = [
  [
    (random, file) => ({
      code: "STALE_CONTENT",
      message: `the text expected at line ${random.integer(2, 400)} of ${file} is not there`,
    }),
    30,
  ],
  [(_, file) => ({ code: "SEARCH_NOT_FOUND", message: `${file} does not hold the text that was searched for` }), 18],
  [
    (random, file) => ({
      code: "TYPE_ERROR",
      message: `${file}:${random.integer(2, 400)}: TS2345: Argument of type '${random.pick(["string", "number", "Order"])}' is not assignable to parameter of type '${random.pick(["Date", "Session", "Row"])}'`,
    }),
    16,
  ],
  [(random, file) => ({ code: "SYNTAX_ERROR", message: `${file}:${random.integer(2, 400)}: unexpected token` }), 9],
  [
    (random) => ({ code: "TASK_SCOPE_VIOLATION", message: `task T-${random.integer(1, 9999)} may not edit this file` }),
    8,
  ],
  [(random, file) => ({ code: "RANGE_OUT_OF_BOUNDS", message: `${file} has ${random.integer(20, 300)} lines` }), 7],
  [(_, file) => ({ code: "OMISSION_FOUND", message: `${file}: a comment stands where code was` }), 5],
  [() => ({ code: "GUARDED_REGION", message: 'the region "license" is guarded' }), 3],
  [() => ({ code: "ENGINE_TIMEOUT", message: "the engine did not answer in time" }), 2],
  [() => ({ code: "SECRET_FOUND", message: "the block holds what looks like a credential" }), 1],
];

export function makeWorld(options: { seed: string; events: number; lastDay: string; now: number }): World {
  const { seed, events, lastDay, now } = options;
  const random = randomOf(`world:${seed}`);
  const suffix = seed === "1" ? "" : `-${seed}`;
  const plans = planYear(randomOf(`year:${seed}`), { lastDay, patches: Math.ceil((events / EVENTS_A_PATCH) * 1.01) });
  const begin = Date.parse(`${plans[0]?.day ?? lastDay}T00:00:00Z`) - DAY_MS;
  const projects = PROJECTS.map(([id, name, typed]): Project => {
    const projectId = `${id}${suffix}`;
    return {
      id: projectId,
      name,
      repository: `https://git.example/${projectId}.git`,
      typed,
      files: [filesOf(random), ...Array.from({ length: 60 }, () => filesOf(random))],
      createdAt: begin,
    };
  });
  const orders: Order[] = [];
  const batches: Batch[] = [];
  let open: Order[] = [];
  for (const plan of plans) {
    const day = Date.parse(`${plan.day}T00:00:00Z`);
    const starts = startsOf(random, plan.patches);
    for (const { at, size } of starts) {
      const requestedAt = day + at;
      if (requestedAt > now - 10 * 60_000) break;
      if (open.length === 0 || (open.length < 40 && random.chance(size / 34))) {
        const order = newOrder(random, { projects, number: orders.length + 1, suffix, at: requestedAt });
        orders.push(order);
        open.push(order);
      }
      const order = open[random.integer(0, open.length - 1)];
      if (!order) continue;
      batches.push(
        newBatch(random, { order, size, requestedAt, plan, id: `${suffix}${batches.length.toString(36)}`, now }),
      );
      if (order.done >= order.size) {
        order.status = random.chance(0.94) ? "delivered" : random.pick(["failed", "cancelled"]);
        open = open.filter((other) => other !== order);
      }
    }
  }
  for (const order of open) {
    const task = order.tasks[Math.floor((order.done / order.size) * order.tasks.length)];
    if (task) task.status = "in_progress";
  }
  const workspaceIds = projects.flatMap((project) => BRANCHES.map(([branch]) => workspaceOf(project, branch)));
  return { projects, workspaceIds, orders, batches };
}

const filesOf = (random: Random): string =>
  `${random.pick(FOLDERS)}/${random.pick(NAMES)}${random.pick(["", "", ".types", ".view", ".model"])}.${random.weighted(
    [
      ["ts", 6],
      ["tsx", 4],
      ["css", 1],
    ],
  )}`;

/** Batches of a day: when each begins, in milliseconds of the day, and how many patches it has. */
function startsOf(random: Random, patches: number): { at: number; size: number }[] {
  const starts: { at: number; size: number }[] = [];
  for (let left = patches; left > 0;) {
    const size = Math.min(
      left,
      random.weighted([
        [1, 30],
        [2, 22],
        [3, 16],
        [4, 12],
        [6, 12],
        [9, 8],
      ]),
    );
    left -= size;
    // Most of it in the working hours of Europe and America, some of it at any time.
    const hour = random.chance(0.2) ? random.next() * 24 : Math.min(23.9, Math.max(0, 14 + 3.6 * random.normal()));
    starts.push({ at: Math.floor(hour * 3_600_000), size });
  }
  return starts.toSorted((a, b) => a.at - b.at);
}

const BRANCHES = [
  ["main", 5],
  ["develop", 3],
  ["release", 2],
] as const;
const workspaceOf = ({ id }: Project, branch: string): string => `branch:${id}:${branch}`;

function newOrder(
  random: Random,
  { projects, number, suffix, at }: { projects: Project[]; number: number; suffix: string; at: number },
): Order {
  const id = `ORD-S${suffix}${String(number).padStart(5, "0")}`;
  const createdAt = at - random.integer(20_000, 600_000);
  const project = random.weighted(projects.map((each, index) => [each, 1 / (6 + index)] as const));
  return {
    id,
    project,
    workspaceId: workspaceOf(project, random.weighted(BRANCHES)),
    factory: random.weighted([
      [FACTORIES[0], 40],
      [FACTORIES[1], 15],
      [FACTORIES[2], 18],
      [FACTORIES[3], 27],
    ]),
    title: `${random.pick(VERBS)} ${random.pick(OBJECTS)}`,
    provider: random.weighted(PROVIDERS),
    size: Math.round(8 + 26 * Math.exp(0.7 * random.normal())),
    done: 0,
    status: "in_progress",
    tasks: PHASES.slice(0, random.integer(2, 4)).map((phase, index) => ({
      id: `${id}-T${index + 1}`,
      title: `${phase}: step ${index + 1}`,
      status: "pending",
    })),
    createdAt,
    updatedAt: createdAt,
  };
}

function newBatch(
  random: Random,
  options: {
    order: Order;
    size: number;
    requestedAt: number;
    plan: { failureRate: number; durationMs: number };
    id: string;
    now: number;
  },
): Batch {
  const { order, size, requestedAt, plan, id, now } = options;
  const progress = Math.min(0.999, order.done / order.size);
  const phase = PHASES[Math.floor(progress * PHASES.length)] ?? PHASES[0];
  const task = order.tasks[Math.floor(progress * order.tasks.length)] ?? order.tasks[0];
  if (!task) throw new RangeError("an order has tasks");
  const failed = random.chance(plan.failureRate);
  const culprit = failed ? random.integer(0, size - 1) : -1;
  const pace = PACE[order.provider?.name ?? ""] ?? 0.8;
  const settledAt = requestedAt + Math.max(40, Math.round(plan.durationMs * pace * Math.exp(0.65 * random.normal())));
  const revertedAt = settledAt + Math.round(-Math.log(1 - random.next()) * DAY_MS * 0.8) + 60_000;
  const patches = Array.from({ length: size }, (_, index): SeedPatch => {
    const file = random.pick(order.project.files);
    const added = Math.round(Math.exp(1.6 + 1.1 * random.normal()));
    return {
      id: `sp-${id}-${index}`,
      file,
      op: random.weighted(OPS),
      task,
      added,
      removed: Math.round(added * random.next()),
      error: !failed
        ? null
        : index === culprit
          ? random.weighted(FAILURES)(random, file)
          : { code: "BATCH_REFUSED", message: "another patch of the batch was refused" },
    };
  });
  const checked = !order.project.typed ? null : !random.chance(0.02);
  const reverted = !failed && random.chance(0.025) && revertedAt < now;
  order.done += size;
  order.updatedAt = reverted ? revertedAt : settledAt;
  task.status = failed ? "failed" : reverted ? "reverted" : checked === true ? "validated" : "applied";
  return {
    id: `sb-${id}`,
    order,
    phase,
    requestedAt,
    settledAt,
    checked: failed ? null : checked,
    revertedAt: reverted ? revertedAt : null,
    patches,
  };
}
