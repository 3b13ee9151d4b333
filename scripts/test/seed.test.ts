import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { CustodyRecordSchema, GENESIS_HASH } from "@shared/contracts";
import { canonicalText, sha256 } from "patch-engine/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  AFTER_ALL_DAYS,
  computeRollup,
  ROLLUP_TABLES,
  ROLLUPS,
} from "../../orchestrator/worker/services/patch/rollupTables.ts";
import { databaseFile, listDatabases, objectFile, persistDirectory } from "../migrations.ts";
import { ROOT } from "../repository.ts";

const EVENTS = 3000;
const seed = (data: string, ...more: string[]) =>
  spawnSync(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", "scripts/seed.ts", "--data", data, "--until", "2026-10-31", ...more],
    { cwd: ROOT, encoding: "utf8", env: { ...process.env, INIT_CWD: ROOT } },
  );

let directory: string;
let data: string;
const open = (binding: string, of = data): DatabaseSync => {
  const database = listDatabases().find((each) => each.binding === binding);
  return new DatabaseSync(databaseFile(of, database?.id ?? ""), { readOnly: true });
};
const read = (binding: string, sql: string, ...parameters: string[]) => {
  const database = open(binding);
  try {
    return database.prepare(sql).all(...parameters);
  } finally {
    database.close();
  }
};

beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), "seed-"));
  data = path.join(directory, "one");
  const { status, stderr } = seed(data, "--events", String(EVENTS));
  if (status !== 0) throw new Error(stderr);
}, 120_000);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe("a seeded store", () => {
  test("has about as many events as asked for, over a year", () => {
    const [row] = read(
      "DB_OPS",
      "SELECT count(*) AS events, count(DISTINCT substr(created_at, 1, 10)) AS days, max(created_at) AS last FROM patch_events",
    );
    expect(Number(row?.events)).toBeGreaterThan(EVENTS * 0.9);
    expect(Number(row?.events)).toBeLessThan(EVENTS * 1.15);
    expect(Number(row?.days)).toBeGreaterThan(250);
    expect(String(row?.last) < "2026-11-01T00:30").toBe(true);
    const types = read("DB_OPS", "SELECT DISTINCT event_type AS type FROM patch_events ORDER BY 1");
    expect(types.map(({ type }) => type)).toEqual([
      "patch_applied",
      "patch_failed",
      "patch_requested",
      "patch_reverted",
      "patch_validated",
    ]);
  });

  test("has rollups that are what its events come to, and an index that finds them", () => {
    for (const table of ROLLUP_TABLES) {
      const order = ROLLUPS[table].key.join(", ");
      const kept = read("DB_OPS", `SELECT * FROM ${table} WHERE patches <> 0 ORDER BY ${order}`);
      const computed = read("DB_OPS", `SELECT * FROM (${computeRollup(table)}) ORDER BY ${order}`, "", AFTER_ALL_DAYS);
      expect(kept.length).toBeGreaterThan(0);
      expect(kept).toEqual(computed);
    }
    const [found] = read(
      "DB_OPS",
      "SELECT count(*) AS n FROM patch_events_search WHERE patch_events_search MATCH '\"ui-factory\"'",
    );
    expect(Number(found?.n)).toBeGreaterThan(0);
    const indexes = read(
      "DB_OPS",
      "SELECT name FROM sqlite_schema WHERE tbl_name = 'patch_events' AND type <> 'table'",
    );
    expect(indexes.map(({ name }) => name)).toContain("patch_events_search_insert");
    expect(indexes.map(({ name }) => name)).toContain("patch_events_by_order");
  });

  test("has a whole chain in every workspace's object, the same that the database was given", () => {
    const workspaces = read("DB_OPS", "SELECT workspace_id AS id, seq, hash FROM workspace_cursors");
    expect(workspaces.length).toBeGreaterThan(10);
    for (const { id, seq, hash } of workspaces) {
      const name = { worker: "vibehq-orchestrator", className: "Workspace", name: String(id) };
      const object = new DatabaseSync(objectFile(data, name), { readOnly: true });
      const links = object.prepare("SELECT seq, body, hash FROM events ORDER BY seq").all();
      object.close();
      let previous = { seq: 0, hash: GENESIS_HASH };
      for (const link of links) {
        const record = CustodyRecordSchema.parse({ ...JSON.parse(String(link.body)), hash: link.hash });
        const { hash: _hash, ...unhashed } = record;
        expect([record.seq, record.prev_hash]).toEqual([previous.seq + 1, previous.hash]);
        expect(sha256(canonicalText(unhashed))).toBe(record.hash);
        previous = record;
      }
      expect(previous).toMatchObject({ seq, hash });
    }
  });

  test("is left as it is by the same seed, and takes another year beside it by another", () => {
    const events = () => read("DB_OPS", "SELECT count(*) AS n FROM patch_events");
    const before = events();
    expect(seed(data, "--events", "9000").stdout).toContain("has the year of seed 1 already");
    expect(events()).toEqual(before);
    expect(seed(data, "--events", "1000", "--seed", "b").status).toBe(0);
    expect(Number(events()[0]?.n)).toBeGreaterThan(Number(before[0]?.n) + 900);
    expect(globSync("**/*.seeding", { cwd: persistDirectory(data) })).toEqual([]);
  }, 120_000);

  test("is the same for the same seed", () => {
    const other = path.join(directory, "two");
    expect(seed(other, "--events", String(EVENTS)).status).toBe(0);
    const heads = (of: string) => {
      const database = open("DB_OPS", of);
      const rows = database
        .prepare("SELECT workspace_id, hash FROM workspace_cursors WHERE workspace_id NOT LIKE '%-b:%' ORDER BY 1")
        .all();
      database.close();
      return rows;
    };
    expect(heads(other)).toEqual(heads(data));
  }, 120_000);

  test.each([
    ["--events", "many"],
    ["--events", "12"],
    ["--seed", "../x"],
    ["--until", "tomorrow"],
    ["--nonsense", "1"],
  ])("is refused with one line for %s %s", (option, value) => {
    const unused = path.join(directory, "unused");
    const { status, stderr } = seed(unused, option, value);
    expect(status).toBe(1);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(existsSync(unused)).toBe(false);
  });
});
