import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { parseArgs } from "node:util";
import { databaseFile, listDatabases, migrateLocal, objectFile, StoreError } from "./migrations.ts";
import { fromCaller, listWorkers, ROOT } from "./repository.ts";
import { TABLES } from "../orchestrator/worker/durable-objects/workspace/tables.ts";
import { makeWorld, type World } from "./seed/world.ts";
import { Draft, writeChains, writeOrders } from "./seed/write.ts";
import { claimStore } from "./start/store.ts";

/**
 * `npm run seed -- --events 1000000`: a realistic year in the local store of `npm start`, for benchmarks and for
 * looking. Chains are whole, so verifying holds; of the edits themselves there are no diffs. The files are written
 * directly, in the shape that workerd has made or would make, because a million events take hours through its doors.
 * The same seed writes the same year; a store that has it is left as it is.
 */

/** The newest orders, which can be addressed by their own workspace's name as well. */
const ALIASED = 20;

function optionsOf(args: string[]) {
  const { values } = parseArgs({
    // npm and pnpm differ in whether they pass the `--` on.
    args: args.filter((arg) => arg !== "--"),
    options: {
      events: { type: "string", default: "100000" },
      seed: { type: "string", default: "1" },
      data: { type: "string" },
      until: { type: "string" },
    },
  });
  const events = Number(values.events);
  if (!Number.isInteger(events) || events < 1000 || events > 20_000_000) {
    throw new StoreError(`--events ${values.events} is no number from 1000 to 20000000`);
  }
  if (!/^[a-z0-9]{1,12}$/.test(values.seed)) throw new StoreError("--seed is of a-z and 0-9, at most 12");
  if (values.until !== undefined && Number.isNaN(Date.parse(`${values.until}T00:00:00Z`))) {
    throw new StoreError(`--until ${values.until} is no day`);
  }
  const now = values.until === undefined ? Date.now() : Date.parse(`${values.until}T23:59:59.999Z`);
  return {
    events,
    seed: values.seed,
    now,
    lastDay: new Date(now).toISOString().slice(0, 10),
    data: values.data === undefined ? path.join(ROOT, ".vibehq") : fromCaller(values.data),
  };
}

/** Events a workspace has in the store; 0 where it is not known. */
function eventsOf(file: string, workspaceIds: readonly string[]): number {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const row = database
      .prepare(
        "SELECT coalesce(sum(seq), 0) AS events FROM workspace_cursors WHERE workspace_id IN (SELECT value FROM json_each(?))",
      )
      .get(JSON.stringify(workspaceIds));
    return Number(row?.events ?? 0);
  } finally {
    database.close();
  }
}

const progress = (events: number): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r${events} events`);
};

/** Lets an order's own workspace lead on to the one it works in. */
function writeAliases(world: World, data: string, worker: string): Draft[] {
  return world.orders.slice(-ALIASED).map((order) => {
    const draft = new Draft(objectFile(data, { worker, className: "Workspace", name: `order:${order.id}` }));
    draft.database.exec(TABLES);
    const set = draft.database.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)");
    set.run("workspaceId", `order:${order.id}`);
    set.run("alias", order.workspaceId);
    return draft;
  });
}

async function seed(args: string[]): Promise<void> {
  const { events, seed: name, now, lastDay, data } = optionsOf(args);
  const began = Date.now();
  const release = claimStore(data);
  const drafts: Draft[] = [];
  try {
    await migrateLocal(data);
    const fileOf = (binding: string): string => {
      const database = listDatabases().find((each) => each.binding === binding);
      if (!database) throw new StoreError(`no Worker binds ${binding}`);
      return databaseFile(data, database.id);
    };
    const worker = listWorkers()[0]?.name ?? "";
    const world = makeWorld({ seed: name, events, lastDay, now });
    const present = eventsOf(fileOf("DB_OPS"), world.workspaceIds);
    if (present > 0) {
      console.log(
        `The store has the year of seed ${name} already, ${present} events; another --seed adds another year.`,
      );
      return;
    }

    const at = new Date(now).toISOString();
    const [ops, projects] = [new Draft(fileOf("DB_OPS")), new Draft(fileOf("DB_PROJECTS"))];
    drafts.push(ops, projects);
    const written = writeChains(world, { data, worker, ops: ops.database, at, progress });
    drafts.push(...written.drafts);
    writeOrders(world, { projects: projects.database, heads: written.heads, at });
    const aliases = writeAliases(world, data, worker);
    drafts.push(...aliases);
    // The database that says whether a year is there comes last: what breaks off before it is written once more.
    for (const draft of [...written.drafts, ...aliases, projects, ops]) draft.publish();
    drafts.length = 0;
    if (process.stderr.isTTY) process.stderr.write("\r");
    console.log(
      `Wrote ${written.events} events of ${world.batches.reduce((sum, batch) => sum + batch.patches.length, 0)} patches, ` +
        `${world.orders.length} orders, ${world.projects.length} projects in ${Math.round((Date.now() - began) / 1000)} s.`,
    );
  } finally {
    for (const draft of drafts) draft.discard();
    release();
  }
}

try {
  await seed(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof StoreError || (error instanceof TypeError && "code" in error))) throw error;
  console.error(`Cannot seed: ${error.message}.`);
  process.exitCode = 1;
}
