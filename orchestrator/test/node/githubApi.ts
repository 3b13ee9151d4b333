import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const entry = fileURLToPath(new URL("../../../apps/core-github-api/worker/index.ts", import.meta.url));

/** The real core-github-api as an auxiliary Worker of the tests, which takes scripts alone; its bindings are the caller's. */
export async function bundleGithubApi() {
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
  if (!output) throw new Error("core-github-api was not bundled");
  return {
    name: "core-github-api",
    modules: true,
    compatibilityDate: "2026-10-30",
    compatibilityFlags: ["nodejs_compat"],
    script: output.text,
  };
}
