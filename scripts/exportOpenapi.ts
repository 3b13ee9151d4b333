import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { loadWorker } from "./loadWorker.ts";
import { relative, ROOT } from "./repository.ts";

const TARGET = path.join(ROOT, "docs/openapi.json");

/** The API's document as the routes stand: the text of docs/openapi.json. */
async function generate(): Promise<string> {
  const [routes, api] = [await loadWorker("app.ts"), await loadWorker("api/openapi.ts")];
  if (!("app" in routes && "openapiDocument" in api && typeof api.openapiDocument === "function")) {
    throw new Error("the orchestrator no longer exports app and openapiDocument");
  }
  const openapi: unknown = api.openapiDocument(routes.app);
  return `${JSON.stringify(openapi, null, 2)}\n`;
}

const document = await generate();
if (!process.argv.includes("--check")) {
  mkdirSync(path.dirname(TARGET), { recursive: true });
  writeFileSync(TARGET, document);
} else if (!existsSync(TARGET) || readFileSync(TARGET, "utf8") !== document) {
  console.log(`${relative(TARGET)}: differs from the routes; run node scripts/exportOpenapi.ts`);
  process.exitCode = 1;
}
