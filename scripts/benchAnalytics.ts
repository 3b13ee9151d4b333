import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import type { D1Database } from "@cloudflare/workers-types";
import { TREND_GROUPS } from "@shared/contracts";
import { z } from "zod";
import { loadWorker } from "./loadWorker.ts";
import { listDatabases, persistDirectory, StoreError } from "./migrations.ts";
import { fromCaller, ROOT } from "./repository.ts";

/**
 * `npm run bench:analytics`: what stats and trends of a year read and take, beside the plain GROUP BY over the events
 * that the documents began with, in the same D1 store and the same run. Seeds the store first where it is empty.
 * Fails where a promise is not kept: rows read ≤ days × keys, and at least 20 times as fast.
 */

const REACH = 20;
const UNTIL = "2026-10-31";
const DAYS = { from: "2025-11-01", to: UNTIL };
const LENGTH = 365;

const { values } = parseArgs({
  args: process.argv.slice(2).filter((arg) => arg !== "--"),
  options: {
    events: { type: "string", default: "1000000" },
    data: { type: "string" },
    runs: { type: "string", default: "15" },
    write: { type: "string" },
  },
});
const data = values.data === undefined ? path.join(ROOT, ".vibehq-bench") : fromCaller(values.data);

interface Context {
  env: { DB_OPS: D1Database };
  actor: object;
  log: object;
  now(): Date;
}
type Verb = (ctx: Context, input: object) => Promise<{ ok: boolean }>;
type Read = (database: D1Database, ...rest: unknown[]) => Promise<{ rowsRead: number }>;

async function load<T>(file: string, name: string): Promise<T> {
  const module: Record<string, T | undefined> = { ...(await loadWorker(`services/analytics/${file}`)) };
  const found = module[name];
  if (found === undefined) throw new Error(`${file} no longer exports ${name}`);
  return found;
}

async function medianOf(runs: number, work: () => Promise<unknown>): Promise<number> {
  await work();
  const times: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const started = performance.now();
    await work();
    times.push(performance.now() - started);
  }
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
}

const RATES = `count(*) AS total, sum(ts_check_ok = 1) AS ok, sum(ts_check_ok = 0) AS failed,
  round(sum(ts_check_ok = 1) * 100.0 / count(*), 2) AS success_rate`;
const SPAN = "min(created_at) AS first_patch, max(created_at) AS last_patch";
const IN_RANGE = "FROM patch_events WHERE created_at BETWEEN ?1 AND ?2";
const grouped = (key: string, columns = RATES): string =>
  `SELECT ${key} AS key, ${columns} ${IN_RANGE} GROUP BY 1 ORDER BY 1 DESC`;

/** The documents' statements, over columns where they read JSON. Of percentiles and comparisons they know nothing. */
const PLAIN: Record<string, string[]> = {
  stats: [
    grouped("date(created_at)"),
    grouped("requester"),
    grouped("op", "count(*) AS count"),
    grouped("provider"),
    `SELECT error_code, error_template, count(*) AS occurrences ${IN_RANGE} AND error_code IS NOT NULL
     GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 20`,
  ],
  weekly: [grouped("strftime('%Y-%W', created_at)")],
  daily: [grouped("date(created_at)")],
  phase: [grouped("phase")],
  order: [grouped("order_id", `${RATES}, ${SPAN}`)],
  provider: [grouped("provider")],
};

/** The columns that an answer's rows have beside the day, by rollup. */
const KEYS: Record<string, string> = {
  patch_days: "1",
  patch_factory_days: "factory",
  patch_op_days: "op",
  patch_provider_days: "provider",
  patch_phase_days: "phase",
  patch_order_days: "order_id",
  patch_error_days: "code || template",
  patch_duration_days: "bucket",
};
const STATS_TABLES = [
  "patch_days",
  "patch_factory_days",
  "patch_op_days",
  "patch_provider_days",
  "patch_error_days",
  "patch_duration_days",
];

async function bench(database: D1Database): Promise<boolean> {
  const count = await database.prepare("SELECT count(*) AS events FROM patch_events").first<number>("events");
  const runs = Number(values.runs);
  const ctx: Context = {
    env: { DB_OPS: database },
    actor: { id: "bench", scopes: new Set(["patches:read"]), workspaceId: null },
    log: { error: console.error },
    now: () => new Date(`${UNTIL}T23:00:00Z`),
  };
  const getStats = await load<Verb>("getStats.ts", "getStats");
  const getTrends = await load<Verb>("getTrends.ts", "getTrends");
  const readStats = await load<Read>("statsQueries.ts", "readStats");
  const readTrends = await load<Read>("trendsQueries.ts", "readTrends");
  const before = { from: "2024-11-01", to: "2025-10-31" };
  const keysOf = async (tables: readonly string[]): Promise<number> => {
    const counts = await Promise.all(
      tables.map((table) =>
        database.prepare(`SELECT count(DISTINCT ${KEYS[table]}) AS n FROM ${table}`).first<number>("n"),
      ),
    );
    return counts.reduce((sum: number, n) => sum + (n ?? 0), 0);
  };
  const answers = [
    {
      name: "stats",
      verb: () => getStats(ctx, DAYS),
      read: () => readStats(database, DAYS, { project: null, order: null }),
      tables: STATS_TABLES,
    },
    ...TREND_GROUPS.map((group) => ({
      name: group,
      verb: () => getTrends(ctx, { group, ...DAYS }),
      read: () => readTrends(database, group, { days: DAYS, before, project: null, limit: 100 }),
      tables: [
        "patch_days",
        "patch_duration_days",
        ...(group === "weekly" || group === "daily" ? [] : [`patch_${group}_days`]),
      ],
    })),
  ];

  const lines: string[] = [];
  let kept = true;
  for (const { name, verb, read, tables } of answers) {
    const answer = await verb();
    if (!answer.ok) throw new Error(`${name} is refused: ${JSON.stringify(answer)}`);
    const took = await medianOf(runs, verb);
    const { rowsRead } = await read();
    const bound = LENGTH * (await keysOf(tables));
    let plainRows = 0;
    const plain = await medianOf(Math.max(3, Math.ceil(runs / 5)), async () => {
      const bounds = [`${DAYS.from}T00:00:00.000Z`, `${DAYS.to}T23:59:59.999Z`];
      const results = await database.batch((PLAIN[name] ?? []).map((sql) => database.prepare(sql).bind(...bounds)));
      plainRows = results.reduce((sum, { meta }) => sum + meta.rows_read, 0);
    });
    const ratio = plain / took;
    const holds = rowsRead <= bound && ratio >= REACH;
    kept &&= holds;
    lines.push(
      `| ${name === "stats" ? name : `trends, ${name}`} | ${took.toFixed(1)} ms | ${number(rowsRead)} | ${number(bound)} ` +
        `| ${plain.toFixed(0)} ms | ${number(plainRows)} | **${ratio.toFixed(0)} ×**${holds ? "" : " (missed)"} |`,
    );
    console.log(lines.at(-1));
  }
  const table = [
    "| answer | takes | rows read | days × keys | plain GROUP BY | its rows read | faster by |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ...lines,
  ].join("\n");
  console.log(`\n${table}`);
  if (values.write !== undefined) writeFileSync(fromCaller(values.write), sectionOf(table, count ?? 0));
  return kept;
}

const number = (value: number): string => value.toLocaleString("en-US");

const sectionOf = (table: string, events: number): string => `## Analytics

\`npm run bench:analytics\`, over a seeded year of ${number(events)} events in local D1, on ${availableParallelism()} cores
(node ${process.versions.node}). Each answer is of the whole year and is taken as its verb gives it: with percentiles, the
period before, and for trends the anomalies. Beside it, in the same store and run, stand the statements that the documents
began with: a plain \`GROUP BY\` over the events, without any of that. Times are medians. Both sides pay for the way to the
database process.

To reach: rows read ≤ days × keys (keys of all tables that an answer reads), and ≥ ${REACH} × faster.

${table}
`;

async function main(): Promise<void> {
  mkdirSync(data, { recursive: true });
  const seed = ["scripts/seed.ts", "--events", values.events, "--seed", "1", "--until", UNTIL, "--data", data];
  const { status } = spawnSync(process.execPath, ["--disable-warning=ExperimentalWarning", ...seed], {
    cwd: ROOT,
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, INIT_CWD: ROOT },
  });
  if (status !== 0) throw new StoreError("the store cannot be seeded");
  const database = listDatabases().find(({ binding }) => binding === "DB_OPS");
  if (!database) throw new StoreError("no Worker binds DB_OPS");
  const { getPlatformProxy } = await import("wrangler");
  const configPath = path.join(data, "bench.wrangler.json");
  const { binding, name, id } = database;
  writeFileSync(
    configPath,
    JSON.stringify({
      name: "bench",
      compatibility_date: "2026-10-30",
      d1_databases: [{ binding, database_name: name, database_id: id }],
    }),
  );
  const platform = await getPlatformProxy<Record<string, D1Database>>({
    configPath,
    persist: { path: path.join(persistDirectory(data), "v3") },
    remoteBindings: false,
  });
  try {
    const d1 = platform.env[binding];
    if (!d1) throw new StoreError(`${binding} is not bound`);
    if (!(await bench(d1))) process.exitCode = 1;
  } finally {
    await platform.dispose();
  }
}

try {
  z.coerce.number().int().min(1).parse(values.runs);
  await main();
} catch (error) {
  if (!(error instanceof StoreError)) throw error;
  console.error(`The bench cannot run: ${error.message}.`);
  process.exitCode = 1;
}
