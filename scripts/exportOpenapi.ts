import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { registerHooks } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { relative, ROOT } from "./repository.ts";

const TARGET = path.join(ROOT, "docs/openapi.json");

/**
 * What the runtime gives a Worker and Node has not. The routes only have to be declared here, none is called, so
 * classes to extend are all it takes.
 */
const RUNTIME = `data:text/javascript,${encodeURIComponent(
  ["DurableObject", "WorkerEntrypoint", "WorkflowEntrypoint", "RpcTarget"]
    .map((name) => `export class ${name} {}`)
    .concat("export const env = {};")
    .join("\n"),
)}`;

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === "cloudflare:workers" ? { url: RUNTIME, shortCircuit: true } : next(specifier, context),
});

/** Loaded by address: the orchestrator is typed for its own runtime, not for this one. */
async function load(file: string): Promise<object> {
  const module: unknown = await import(pathToFileURL(path.join(ROOT, "orchestrator/worker", file)).href);
  if (typeof module !== "object" || module === null) throw new Error(`${file} is no module`);
  return module;
}

/** The API's document as the routes stand: the text of docs/openapi.json. */
async function generate(): Promise<string> {
  const [routes, api] = [await load("app.ts"), await load("api/openapi.ts")];
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
