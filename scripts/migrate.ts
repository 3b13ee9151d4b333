import { spawnSync } from "node:child_process";
import path from "node:path";
import { parseArgs } from "node:util";
import { listDatabases, migrateLocal, StoreError } from "./migrations.ts";
import { fromCaller, ROOT } from "./repository.ts";

const { values } = parseArgs({
  options: {
    local: { type: "boolean", default: false },
    remote: { type: "boolean", default: false },
    data: { type: "string" },
  },
});

if (values.remote) {
  for (const { binding } of listDatabases()) {
    const wrangler = path.join(ROOT, "node_modules/wrangler/bin/wrangler.js");
    const config = path.join(ROOT, "orchestrator/wrangler.jsonc");
    const args = [wrangler, "d1", "migrations", "apply", binding, "--remote", "--config", config];
    const { status } = spawnSync(process.execPath, args, {
      stdio: "inherit",
      env: { ...process.env, WRANGLER_SEND_METRICS: "false" },
    });
    if (status !== 0) {
      console.error(`${binding}: its migrations were not all applied.`);
      process.exit(1);
    }
  }
} else {
  try {
    const applied = await migrateLocal(values.data ? fromCaller(values.data) : path.join(ROOT, ".vibehq"));
    console.log(
      applied.length === 0 ? "All migrations are applied." : applied.map((line) => `applied ${line}`).join("\n"),
    );
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    console.error(`The store is broken: ${error.message}.`);
    process.exitCode = 1;
  }
}
