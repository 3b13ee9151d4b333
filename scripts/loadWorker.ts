import { registerHooks } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT } from "./repository.ts";

/** What the runtime gives a Worker and Node has not: classes to extend are all that loading its modules takes. */
const RUNTIME = `data:text/javascript,${encodeURIComponent(
  ["DurableObject", "WorkerEntrypoint", "WorkflowEntrypoint", "RpcTarget"]
    .map((name) => `export class ${name} {}`)
    .concat("export const env = {};", "export function waitUntil() {}")
    .join("\n"),
)}`;

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === "cloudflare:workers" ? { url: RUNTIME, shortCircuit: true } : next(specifier, context),
});

/** A module of the orchestrator, by its place in `worker/`: it is typed for its own runtime, not for this one. */
export async function loadWorker(file: string): Promise<object> {
  const module: unknown = await import(pathToFileURL(path.join(ROOT, "orchestrator/worker", file)).href);
  if (typeof module !== "object" || module === null) throw new Error(`${file} is no module`);
  return module;
}
