import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parse } from "jsonc-parser";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readJsonc, ROOT } from "../repository.ts";
import { syncWrangler } from "../syncWrangler.ts";

describe("syncWrangler", () => {
  let root: string;
  const file = (name: string): string => path.join(root, name);
  const read = (name: string): unknown => readJsonc(file(name));

  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), "sync-"));
    for (const folder of ["orchestrator", "apps/tea-factory", "apps/core-tea-api"])
      mkdirSync(file(folder), { recursive: true });
    writeFileSync(
      file("wrangler.base.jsonc"),
      `{ "worker": { "compatibility_date": "2026-10-30" },
         "factory": { "services": [{ "binding": "PATCH", "service": "hq", "props": { "caller": "$name" } }] } }`,
    );
    writeFileSync(file("orchestrator/wrangler.jsonc"), '{ "name": "hq", "vars": { "A": "1" } }');
    writeFileSync(file("apps/core-tea-api/wrangler.jsonc"), '{ "name": "core-tea-api" }');
    writeFileSync(
      file("apps/tea-factory/wrangler.jsonc"),
      '{\n  // why it has its own\n  "name": "tea-factory",\n  "services": [{ "binding": "OWN", "service": "pot" }],\n}',
    );
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  test("writes what is shared and keeps a Worker's own keys, bindings and comments", () => {
    syncWrangler({ check: false, root });
    expect(read("orchestrator/wrangler.jsonc")).toEqual({
      name: "hq",
      vars: { A: "1" },
      compatibility_date: "2026-10-30",
    });
    expect(read("apps/tea-factory/wrangler.jsonc")).toEqual({
      name: "tea-factory",
      compatibility_date: "2026-10-30",
      services: [
        { binding: "OWN", service: "pot" },
        { binding: "PATCH", service: "hq", props: { caller: "tea-factory" } },
      ],
    });
    expect(readFileSync(file("apps/tea-factory/wrangler.jsonc"), "utf8")).toContain("// why it has its own");
  });

  test("says to each Worker who it is, and binds the orchestrator to the health of all in apps/", () => {
    writeFileSync(
      file("wrangler.base.jsonc"),
      `{ "worker": {}, "vars": { "WORKER_NAME": "$name", "WORKER_TYPE": "$type" },
         "app": { "services": [{ "binding": "HEALTH", "service": "hq", "props": { "caller": "$name" } }] },
         "factory": { "services": [] }, "health": { "targets": "TARGETS", "binding": { "entrypoint": "HealthCheck" } } }`,
    );
    syncWrangler({ check: false, root });
    expect(read("orchestrator/wrangler.jsonc")).toEqual({
      name: "hq",
      vars: { A: "1", WORKER_NAME: "hq", WORKER_TYPE: "orchestrator", TARGETS: "hq,core-tea-api,tea-factory" },
      services: [
        { binding: "HEALTH_CORE_TEA_API", service: "core-tea-api", entrypoint: "HealthCheck" },
        { binding: "HEALTH_TEA_FACTORY", service: "tea-factory", entrypoint: "HealthCheck" },
      ],
    });
    expect(read("apps/core-tea-api/wrangler.jsonc")).toEqual({
      name: "core-tea-api",
      vars: { WORKER_NAME: "core-tea-api", WORKER_TYPE: "api" },
      services: [{ binding: "HEALTH", service: "hq", props: { caller: "core-tea-api" } }],
    });
    expect(read("apps/tea-factory/wrangler.jsonc")).toMatchObject({
      vars: { WORKER_TYPE: "factory" },
      services: [{ binding: "OWN" }, { binding: "HEALTH", props: { caller: "tea-factory" } }],
    });
    expect(syncWrangler({ check: true, root })).toEqual([]);
  });

  test("gives the factories' bindings to factories alone", () => {
    syncWrangler({ check: false, root });
    expect(read("apps/core-tea-api/wrangler.jsonc")).not.toHaveProperty("services");
  });

  test("finds nothing to do a second time, however the file is formatted", () => {
    syncWrangler({ check: false, root });
    const text = readFileSync(file("orchestrator/wrangler.jsonc"), "utf8");
    writeFileSync(file("orchestrator/wrangler.jsonc"), JSON.stringify(parse(text)));
    expect(syncWrangler({ check: true, root })).toEqual([]);
  });

  test("a check names the file that drifted and does not mend it", () => {
    syncWrangler({ check: false, root });
    const drifted = readFileSync(file("apps/tea-factory/wrangler.jsonc"), "utf8").replace(
      '"caller": "tea-factory"',
      '"caller": "orchestrator"',
    );
    writeFileSync(file("apps/tea-factory/wrangler.jsonc"), drifted);
    expect(syncWrangler({ check: true, root })).toEqual([file("apps/tea-factory/wrangler.jsonc")]);
    expect(readFileSync(file("apps/tea-factory/wrangler.jsonc"), "utf8")).toBe(drifted);
  });

  test("writes the orchestrator's configuration with containers on beside its own, which stays as it is", () => {
    writeFileSync(
      file("orchestrator/wrangler.jsonc"),
      `{ "name": "hq", "main": "own.ts", "durable_objects": { "bindings": [{ "name": "A", "class_name": "A" }] },
         "migrations": [{ "tag": "v1", "new_sqlite_classes": ["A"] }, { "tag": "v2", "new_sqlite_classes": ["B"] }] }`,
    );
    const containers = {
      main: "containers.ts",
      binding: { name: "BOX", class_name: "Box" },
      migration: { tag: "containers-1", new_sqlite_classes: ["Box"] },
      containers: [{ class_name: "Box", image: "Dockerfile" }],
    };
    const base = readFileSync(file("wrangler.base.jsonc"), "utf8");
    writeFileSync(file("wrangler.base.jsonc"), JSON.stringify({ ...parse(base), containers }));

    syncWrangler({ check: false, root });
    expect(read("orchestrator/wrangler.jsonc")).not.toHaveProperty("containers");
    expect(read("orchestrator/wrangler.containers.jsonc")).toMatchObject({
      name: "hq",
      main: "containers.ts",
      compatibility_date: "2026-10-30",
      durable_objects: { bindings: [{ name: "A" }, { name: "BOX" }] },
      migrations: [{ tag: "v1" }, { tag: "containers-1" }, { tag: "v2" }],
      containers: [{ class_name: "Box" }],
    });
    rmSync(file("orchestrator/wrangler.containers.jsonc"));
    expect(syncWrangler({ check: true, root })).toEqual([file("orchestrator/wrangler.containers.jsonc")]);
  });

  test("says which line of a file is not JSON", () => {
    writeFileSync(file("orchestrator/wrangler.jsonc"), '{\n  "name": oops\n}');
    expect(() => syncWrangler({ check: true, root })).toThrow(/orchestrator\/wrangler\.jsonc:2: /);
  });

  test("this repository has not drifted", () => {
    expect(syncWrangler({ check: true, root: ROOT })).toEqual([]);
  });
});
