import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readDevVars, writeDevVars } from "../devVars.ts";
import {
  databaseFile,
  listDatabases,
  migrateLocal,
  migrationFiles,
  pendingDatabases,
  persistDirectory,
  StoreError,
} from "../migrations.ts";
import { parseOptions, StartError } from "../start/options.ts";
import { freePort } from "../start/ports.ts";
import { claimStore } from "../start/store.ts";

let data: string;
beforeEach(() => {
  data = mkdtempSync(path.join(tmpdir(), "store-"));
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

describe("migrations", () => {
  test("apply to an empty store once, each on record as wrangler records it, and then there is nothing to do", async () => {
    const databases = listDatabases();
    const applied = await migrateLocal(data, databases);
    expect(applied).toHaveLength(databases.flatMap(({ migrations }) => migrationFiles(migrations)).length);
    for (const database of databases) {
      const sqlite = new DatabaseSync(databaseFile(data, database.id), { readOnly: true });
      const rows = sqlite.prepare("SELECT name FROM d1_migrations ORDER BY id").all();
      sqlite.close();
      expect(rows.map(({ name }) => name)).toEqual(migrationFiles(database.migrations));
    }
    expect(pendingDatabases(data, databases)).toEqual([]);
    expect(await migrateLocal(data, databases)).toEqual([]);
  });

  test("one that fails leaves nothing behind, is named, and applies once it is mended", async () => {
    const migrations = path.join(data, "migrations");
    mkdirSync(migrations);
    writeFileSync(
      path.join(migrations, "0001_cups.sql"),
      "CREATE TABLE cups(id INTEGER); CREATE TABLE cups(id INTEGER);",
    );
    const databases = [{ binding: "DB", name: "tea", id: "tea", migrations }];
    await expect(migrateLocal(data, databases)).rejects.toThrow(/^tea refuses 0001_cups\.sql: .*already exists/);
    writeFileSync(path.join(migrations, "0001_cups.sql"), "CREATE TABLE cups(id INTEGER);");
    expect(await migrateLocal(data, databases)).toEqual(["tea 0001_cups.sql"]);
  });

  test("a database file that is none is said to be, not replaced", () => {
    const [database] = listDatabases();
    const file = databaseFile(data, database?.id ?? "");
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, "x".repeat(8192));
    expect(() => pendingDatabases(data, listDatabases())).toThrow(
      new StoreError(`the database ${database?.name} cannot be read: file is not a database`),
    );
    expect(readFileSync(file, "utf8")).toBe("x".repeat(8192));
  });
});

describe("a store", () => {
  test("is used by one process at a time, and is free again when released", () => {
    const release = claimStore(data);
    expect(() => claimStore(data)).toThrow(/is in use by process \d+; end it, or choose another directory/);
    release();
    claimStore(data)();
  });

  test("left by a process that died is taken over", () => {
    writeFileSync(path.join(data, "running.pid"), "999999999");
    claimStore(data)();
    expect(existsSync(path.join(data, "running.pid"))).toBe(false);
  });

  test("with a damaged file is refused before anything starts, by the file's name, and is not held", () => {
    const file = path.join(persistDirectory(data), "v3/do/hq-Workspace/abc.sqlite");
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, "not a database at all");
    expect(() => claimStore(data)).toThrow(/v3\/do\/hq-Workspace\/abc\.sqlite is not a database$/);
    expect(globSync("running.pid", { cwd: data })).toEqual([]);
  });

  test("that is a file is refused", () => {
    const file = path.join(data, "file");
    writeFileSync(file, "");
    expect(() => claimStore(file)).toThrow(/cannot be written \(ENOTDIR\)/);
  });
});

describe(".dev.vars", () => {
  const workerWith = (required: string[]) => [
    { name: "hq", directory: data, configPath: "", config: { name: "hq", secrets: { required } } },
  ];
  const file = (): string => path.join(data, ".dev.vars");

  test("holds a random secret for each that is required, readable by its owner alone", () => {
    writeDevVars(workerWith(["ONE", "TWO"]));
    const { ONE, TWO } = readDevVars(file());
    expect(ONE).toMatch(/^[0-9a-f]{64}$/);
    expect(TWO).toMatch(/^[0-9a-f]{64}$/);
    expect(ONE).not.toBe(TWO);
    expect(statSync(file()).mode & 0o777).toBe(0o600);
  });

  test("keeps what stands there and adds what is missing", () => {
    writeFileSync(file(), "# mine\nONE=kept");
    writeDevVars(workerWith(["ONE", "TWO"]));
    expect(readFileSync(file(), "utf8")).toMatch(/^# mine\nONE=kept\nTWO="[0-9a-f]{64}"\n$/);
    expect(writeDevVars(workerWith(["ONE", "TWO"]))).toEqual([]);
  });
});

describe("the options of npm start", () => {
  test.each([["--port", "http"], ["--port", "70000"], ["--repo", "/no/such/repository"], ["--colour"], ["stray"]])(
    "refuse %s %s",
    (...args) => expect(() => parseOptions(args)).toThrow(StartError),
  );

  test("have port 8787 and .vibehq/ as defaults", () => {
    expect(parseOptions([])).toMatchObject({ port: 8787, repo: null, once: false, json: false });
    expect(path.basename(parseOptions([]).data)).toBe(".vibehq");
  });

  test("a port in use is refused with the way out, a free one is given for 0", async () => {
    const { createServer } = await import("node:http");
    const server = createServer();
    const port = await new Promise<number>((resolve) => {
      server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port));
    });
    await expect(freePort(port)).rejects.toThrow(
      `Port ${port} is in use. End what listens there, or choose another with --port N.`,
    );
    server.close();
    expect(await freePort(0)).toBeGreaterThan(0);
  });
});
