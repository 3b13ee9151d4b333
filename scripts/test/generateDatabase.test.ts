import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { generateSchema, migrationFiles } from "../generateDatabase.ts";
import { ROOT } from "../repository.ts";

test("the committed Kysely types are those of the migrated databases", () => {
  const committed = readFileSync(path.join(ROOT, "orchestrator/worker/database/schema.ts"), "utf8");
  expect(committed).toBe(generateSchema());
});

test("a nullable column, a default, a generated id and a closed set of words each show in its type", () => {
  const schema = generateSchema();
  expect(schema).toContain("ts_check_ok: Generated<number | null>;");
  expect(schema).toContain("id: Generated<number>;");
  expect(schema).toContain("max_changed_lines: number | null;");
  expect(schema).toContain('status: Generated<"received" | "in_progress" | "delivered" | "failed" | "cancelled">;');
});

test.each(["ops", "logs", "projects", "chats", "health"])(
  "the migrations of %s each have a number of their own",
  (database) => {
    expect(migrationFiles(database).length).toBeGreaterThan(0);
  },
);
