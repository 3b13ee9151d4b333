import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { TREND_GROUPS } from "@shared/contracts";
import { z } from "zod";
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
    rounds: { type: "string", default: "7" },
    write: { type: "string" },
  },
});
const data = values.data === undefined ? path.join(ROOT, ".vibehq-bench") : fromCaller(values.data);

const AnswerSchema = z.object({
  ok: z.boolean(),
  rowsRead: z.number().default(0),
  first: z.array(z.record(z.string(), z.unknown()).nullable()).default([]),
});
/** Asks the Worker of the bench. */
type Ask = (question: object) => Promise<z.output<typeof AnswerSchema>>;

const medianOf = (times: readonly number[]): number =>
  times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** How often an answer is taken for each time that its plain statements are, which take so much longer. */
const ANSWERS_A_ROUND = 5;

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

async function bench(ask: Ask): Promise<boolean> {
  const rounds = Number(values.rounds);
  const numberOf = async (statement: string): Promise<number> => {
    const { first } = await ask({ what: "sql", statements: [statement], parameters: [] });
    return Number(Object.values(first[0] ?? {})[0] ?? 0);
  };
  const events = await numberOf("SELECT count(*) FROM patch_events");
  const keysOf = async (tables: readonly string[]): Promise<number> => {
    let keys = 0;
    for (const table of tables) keys += await numberOf(`SELECT count(DISTINCT ${KEYS[table]}) FROM ${table}`);
    return keys;
  };
  const answers = [
    { name: "stats", group: null, question: { what: "stats", ...DAYS }, tables: STATS_TABLES },
    ...TREND_GROUPS.map((group) => ({
      name: group,
      group,
      question: { what: "trends", group, ...DAYS },
      tables: [
        "patch_days",
        "patch_duration_days",
        ...(group === "weekly" || group === "daily" ? [] : [`patch_${group}_days`]),
      ],
    })),
  ];

  const lines: string[] = [];
  let kept = true;
  for (const { name, group, question, tables } of answers) {
    const { rowsRead } = await ask({ what: "rows", group, ...DAYS });
    const bound = LENGTH * (await keysOf(tables));
    const parameters = [`${DAYS.from}T00:00:00.000Z`, `${DAYS.to}T23:59:59.999Z`];
    const sql = { what: "sql", statements: PLAIN[name] ?? [], parameters };
    const { rowsRead: plainRows } = await ask(sql);
    // By turns, so that what else the machine does falls on both.
    const [times, plainTimes]: [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round += 1) {
      for (let turn = 0; turn < ANSWERS_A_ROUND; turn += 1) times.push(await timeOf(() => ask(question)));
      plainTimes.push(await timeOf(() => ask(sql)));
    }
    const [took, plain] = [medianOf(times), medianOf(plainTimes)];
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
  if (values.write !== undefined) writeFileSync(fromCaller(values.write), sectionOf(table, events));
  return kept;
}

const number = (value: number): string => value.toLocaleString("en-US");

const sectionOf = (table: string, events: number): string => `## Analytics

\`npm run bench:analytics\`, over a seeded year of ${number(events)} events in local D1, on ${availableParallelism()} cores
(node ${process.versions.node}). Each answer is of the whole year and is taken as its verb gives it: with percentiles, the
period before, and for trends the anomalies. Beside it, in the same store and run, stand the statements that the documents
began with: a plain \`GROUP BY\` over the events, without any of that. Times are medians. Both sides stand in one
Worker and are asked over HTTP.

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
  const { unstable_dev } = await import("wrangler");
  const config = path.join(data, "bench.wrangler.json");
  const { binding, name, id } = database;
  writeFileSync(
    config,
    JSON.stringify({
      name: "bench",
      compatibility_date: "2026-10-30",
      compatibility_flags: ["nodejs_compat"],
      d1_databases: [{ binding, database_name: name, database_id: id }],
    }),
  );
  const worker = await unstable_dev(path.join(ROOT, "orchestrator/bench/analyticsWorker.ts"), {
    config,
    persistTo: persistDirectory(data),
    local: true,
    logLevel: "error",
    experimental: { disableExperimentalWarning: true },
  });
  try {
    const ask: Ask = async (question) => {
      const response = await worker.fetch("http://bench/", { method: "POST", body: JSON.stringify(question) });
      const answer = AnswerSchema.parse(await response.json());
      if (!answer.ok) throw new Error(`refused: ${JSON.stringify(question)}`);
      return answer;
    };
    if (!(await bench(ask))) process.exitCode = 1;
  } finally {
    await worker.stop();
  }
}

try {
  z.coerce.number().int().min(1).parse(values.rounds);
  await main();
} catch (error) {
  if (!(error instanceof StoreError)) throw error;
  console.error(`The bench cannot run: ${error.message}.`);
  process.exitCode = 1;
}
