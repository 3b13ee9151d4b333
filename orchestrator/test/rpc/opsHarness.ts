import type { BuildLogLine, OpsScope, WorkerLogLine } from "@shared/contracts";
import { env } from "cloudflare:workers";
import { createContext, type ServiceContext, systemActor } from "../../worker/context.ts";
import { OpsMonitorService } from "../../worker/services/ops/OpsMonitorService.ts";

/** Where a scan is cut off: at the n-th thing that it awaits, before that is done or after. */
export interface Cut {
  at: number;
  when: "before" | "after";
  /** Whether all that comes after it fails too, as where the Worker is evicted. */
  dead: boolean;
}

interface Issue {
  number: number;
  title: string;
  body: string;
  state: "open" | "closed";
  labels: string[];
  comments: string[];
}

/** The two Workers before GitHub and Cloudflare, as the orchestrator sees them: their doors over fetch, in memory. */
export class Outside {
  issues: Issue[] = [];
  /** The windows of logs that were asked for. */
  readonly windows: { from: string; to: string }[] = [];
  workerLines: WorkerLogLine[] = [];
  buildLines: BuildLogLine[] = [];
  openSince: string | null = null;
  /** Whether search has caught up with what was created, as GitHub's often has not. */
  isIndexed = true;

  readonly cloudflare = { fetch: async (address: string) => this.#page(this.workerLines, new URL(address)) };
  readonly github = {
    fetch: async (address: string, init: RequestInit = {}) => {
      const url = new URL(address);
      if (url.pathname.endsWith("/actions/runs/logs")) {
        return this.#page(this.buildLines, url, { skipped: [], open_since: this.openSince });
      }
      return this.#issues(url, init.method ?? "GET", typeof init.body === "string" ? JSON.parse(init.body) : {});
    },
  };

  /** Two lines a page. */
  #page(lines: readonly (WorkerLogLine | BuildLogLine)[], url: URL, more: object = {}): Response {
    const from = url.searchParams.get("from") ?? "";
    const to = url.searchParams.get("to") ?? "";
    const at = Number(url.searchParams.get("cursor") ?? 0);
    this.windows.push({ from, to });
    const found = lines.filter(({ ts }) => ts >= from && ts <= to);
    const cursor = at + 2 < found.length ? String(at + 2) : null;
    return Response.json({ logs: found.slice(at, at + 2), cursor, from, to, open_since: null, ...more });
  }

  #issues(url: URL, method: string, body: Record<string, unknown>): Response {
    const [, number, part] = /\/issues(?:\/(\d+))?(?:\/(comments))?$/.exec(url.pathname) ?? [];
    if (url.pathname.endsWith("/search/issues")) {
      const word = (url.searchParams.get("q") ?? "").match(/"([^"]+)"/)?.[1] ?? "";
      return Response.json(this.isIndexed ? this.issues.filter((issue) => issue.body.includes(word)).map(shape) : []);
    }
    if (number === undefined) {
      if (method === "GET") return Response.json(this.issues.map(shape));
      const issue: Issue = {
        number: this.issues.length + 1,
        title: String(body.title),
        body: String(body.body),
        state: "open",
        labels: (body.labels ?? []) as string[],
        comments: [],
      };
      this.issues.push(issue);
      return Response.json(shape(issue), { status: 201 });
    }
    const issue = this.issues[Number(number) - 1];
    if (!issue) throw new Error(`no issue ${number}`);
    if (part === "comments") {
      issue.comments.push(String(body.body));
      return Response.json({ id: issue.comments.length, body: "", html_url: "", user: null, created_at: "" });
    }
    issue.state = body.state === "closed" ? "closed" : "open";
    return Response.json(shape(issue));
  }
}

const shape = ({ number, title, body, state, labels, comments }: Issue) => ({
  number,
  title,
  body,
  state,
  labels,
  html_url: `https://github.test/acme/site/issues/${number}`,
  user: "vibehq",
  assignees: [],
  comments: comments.length,
  pull_request: false,
  created_at: "",
  updated_at: "",
  closed_at: null,
});

/** A context whose every await to the outside can be cut, on a clock of its own. */
export function opsContext(
  outside: Outside,
  options: {
    now?: () => number;
    cut?: Cut;
    hold?: { at: number; until: Promise<void> };
    /** What comes from the n-th on of what is asked of the outside, `times` times; nothing of it is carried out. */
    upstream?: { at: number; times: number; answer: () => Promise<Response> };
    /** What Workers AI answers each question with. */
    model?: string;
    /** Whether the databases answer at the moment. */
    isUp?: () => boolean;
    env?: Partial<Env>;
  } = {},
): ServiceContext & { awaits: () => number; asked: () => number } {
  const { cut, now = () => Date.now() } = options;
  let count = 0;
  let asked = 0;
  const ask = (work: () => Promise<Response>): Promise<Response> =>
    step(async () => {
      asked += 1;
      const { upstream } = options;
      return upstream && asked >= upstream.at && asked < upstream.at + upstream.times ? upstream.answer() : work();
    });
  const step = async <T>(work: () => Promise<T>): Promise<T> => {
    count += 1;
    if (count === options.hold?.at) await options.hold.until;
    if (cut && (count === cut.at || (cut.dead && count > cut.at))) {
      if (cut.when === "after" && count === cut.at) await work();
      throw new Error("cut");
    }
    return work();
  };
  const cutting = new Env_((work) =>
    step(async () => {
      if (options.isUp?.() === false) throw new Error("D1_ERROR: the database does not answer");
      return work();
    }),
  );
  const bound = {
    ...env,
    ...options.env,
    ...(options.model === undefined
      ? {}
      : {
          LLM_MODEL: "workers-ai:@cf/meta/llama-3.1-8b-instruct",
          AI: { run: () => step(async () => ({ response: options.model })) },
        }),
    GITHUB_OWNER: "acme",
    GITHUB_REPO: "site",
    DB_OPS: cutting.database(env.DB_OPS),
    DB_LOGS: cutting.database(env.DB_LOGS),
    EVENT_HUB: {
      getByName: (name: string) => ({
        announce: (...given: Parameters<ReturnType<typeof env.EVENT_HUB.getByName>["announce"]>) =>
          step(() => env.EVENT_HUB.getByName(name).announce(...given)),
      }),
    },
    CORE_GITHUB_API: {
      fetch: (address: string, init?: RequestInit) => ask(() => outside.github.fetch(address, init)),
    },
    CORE_CLOUDFLARE_API: { fetch: (address: string) => ask(() => outside.cloudflare.fetch(address)) },
  } as unknown as Env;
  const ctx = createContext(bound, { actor: systemActor("test"), now: () => new Date(now()) });
  return Object.assign(ctx, { awaits: () => count, asked: () => asked });
}

/** Statements keep their own methods: D1 takes only its own in a batch. */
class Env_ {
  readonly #step: <T>(work: () => Promise<T>) => Promise<T>;
  constructor(step: <T>(work: () => Promise<T>) => Promise<T>) {
    this.#step = step;
  }

  database(database: D1Database): D1Database {
    const real = new WeakMap<object, D1PreparedStatement>();
    const wrap = (statement: D1PreparedStatement): D1PreparedStatement => {
      const wrapped = {
        bind: (...values: unknown[]) => wrap(statement.bind(...values)),
        run: () => this.#step(() => statement.run()),
        all: () => this.#step(() => statement.all()),
        first: (...names: [string]) => this.#step(() => statement.first(...names)),
        raw: () => this.#step(() => statement.raw()),
      } as unknown as D1PreparedStatement;
      real.set(wrapped, statement);
      return wrapped;
    };
    return {
      prepare: (sql: string) => wrap(database.prepare(sql)),
      batch: (statements: D1PreparedStatement[]) =>
        this.#step(() => database.batch(statements.map((one) => real.get(one) ?? one))),
    } as unknown as D1Database;
  }
}

/** A whole scan that waits for no clock. */
export const scanOf = (ctx: ServiceContext, scope: OpsScope = "full", sleep = async (_ms: number) => {}) =>
  new OpsMonitorService(ctx, { sleep }).runScan(scope);

const OPS_TABLES = ["ops_issues", "ops_issue_commits", "ops_cursors", "alerts"];
const LOGS_TABLES = ["worker_logs", "build_logs", "ingest_cursors"];

/** What scans have filled up to now, to be put back. */
export async function opsSnapshot(): Promise<() => Promise<void>> {
  const taken = (database: D1Database, tables: readonly string[]) =>
    Promise.all(tables.map(async (table) => ({ table, rows: await rowsIn(database, `SELECT * FROM ${table}`) })));
  const putBack = (database: D1Database, snapshot: Awaited<ReturnType<typeof taken>>) =>
    snapshot.flatMap(({ table, rows }) => {
      const columns = Object.keys(rows[0] ?? {});
      const values = columns.map((name) => `value ->> '$.${name}'`).join(", ");
      const insert = `INSERT INTO ${table} (${columns.join(", ")}) SELECT ${values} FROM json_each(?1)`;
      return [
        database.prepare(`DELETE FROM ${table}`),
        ...(rows.length === 0 ? [] : [database.prepare(insert).bind(JSON.stringify(rows))]),
      ];
    });
  const [ops, logs] = await Promise.all([taken(env.DB_OPS, OPS_TABLES), taken(env.DB_LOGS, LOGS_TABLES)]);
  return async () => {
    await env.DB_OPS.batch([...putBack(env.DB_OPS, ops), env.DB_OPS.prepare("DELETE FROM ops_scans")]);
    await env.DB_LOGS.batch([...putBack(env.DB_LOGS, logs), env.DB_LOGS.prepare("DELETE FROM operation_logs")]);
  };
}

/** Empties what scans fill. */
export async function emptyOps(): Promise<void> {
  await env.DB_OPS.batch(
    [
      "DELETE FROM ops_issues",
      "DELETE FROM ops_scans",
      "DELETE FROM ops_issue_commits",
      "UPDATE ops_cursors SET position = 0",
      "DELETE FROM alerts",
    ].map((sql) => env.DB_OPS.prepare(sql)),
  );
  await env.DB_LOGS.batch(
    [
      "DELETE FROM worker_logs",
      "DELETE FROM build_logs",
      "DELETE FROM ingest_cursors",
      "DELETE FROM operation_logs",
      "DELETE FROM sqlite_sequence",
    ].map((sql) => env.DB_LOGS.prepare(sql)),
  );
}

export const rowsIn = async (database: D1Database, sql: string): Promise<Record<string, unknown>[]> =>
  (await database.prepare(sql).all()).results;

export const aWorkerLine = (
  id: string,
  at: number,
  message: string,
  fields: Partial<WorkerLogLine> = {},
): WorkerLogLine => ({
  id,
  worker: "api",
  level: "error",
  message,
  ts: new Date(at).toISOString(),
  commit: null,
  meta: {},
  ...fields,
});
export const aBuildLine = (
  id: string,
  at: number,
  message: string,
  fields: Partial<BuildLogLine> = {},
): BuildLogLine => ({
  id,
  repo: "acme/site",
  run_id: "1",
  level: "error",
  message,
  ts: new Date(at).toISOString(),
  commit: null,
  meta: {},
  ...fields,
});
