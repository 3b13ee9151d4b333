import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** A real Worker of apps/ as an auxiliary Worker of the tests, which takes scripts alone; its bindings are the caller's. */
export async function bundleWorker(name: string) {
  const entry = fileURLToPath(new URL(`../../../apps/${name}/worker/index.ts`, import.meta.url));
  const built = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: "esm",
    platform: "neutral",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    mainFields: ["module", "main"],
    external: ["node:*", "cloudflare:*"],
  });
  const [output] = built.outputFiles;
  if (!output) throw new Error(`${name} was not bundled`);
  return {
    name,
    modules: true,
    compatibilityDate: "2026-10-30",
    compatibilityFlags: ["nodejs_compat"],
    script: output.text,
  };
}
