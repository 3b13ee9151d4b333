import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { build } from "esbuild";
import { buildPatchctl } from "patch-engine/build";
import { z } from "zod";
import { HANDS_OVER } from "../bin/startSecrets.ts";

/**
 * Makes the programs of the image: `node image/bundle.ts DIRECTORY` writes `container.js` (the engine host) and
 * `patchctl/` there, bundled, so that a start reads a few files instead of hundreds and strips no types.
 * What is not bundled, because it loads a native library by its own path or is seldom asked for, is copied beside them
 * into `node_modules`.
 */

const here = import.meta.dirname;
const HOST = resolve(here, "../bin/container.ts");
const PATCH_ENGINE = resolve(here, "../../patch-engine");
/** Each with the file that imports it: packages see only what their own package.json names. */
const APART = Object.fromEntries(
  ["oxc-parser", "typescript", "@modelcontextprotocol/sdk"].map((name) => [name, join(PATCH_ENGINE, "index.ts")]),
);

const ManifestSchema = z.object({
  dependencies: z.record(z.string(), z.string()).default({}),
  optionalDependencies: z.record(z.string(), z.string()).default({}),
});

/** The folder of a package as `importer` sees it, or null where it is not installed. */
function folderOf(name: string, importer: string): string | null {
  for (const folder of createRequire(importer).resolve.paths(name) ?? []) {
    if (existsSync(join(folder, name, "package.json"))) return realpathSync(join(folder, name));
  }
  return null;
}

/** Declarations and maps are for who develops; the compiler's own of the language and the platform are its library. */
const isNeeded = (file: string): boolean =>
  /(?:^|\/)lib(?:\.[^/]+)?\.d\.ts$/u.test(file) || !/\.(?:d\.[cm]?ts|map)$/u.test(file);

/** Copies a package and all that it depends on. An optional dependency for another platform is not there to copy. */
function copyPackage(name: string, importer: string, into: string): void {
  const from = folderOf(name, importer);
  if (from === null) throw new Error(`${name} is not installed`);
  const to = join(into, name);
  if (existsSync(to)) return;
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to, { recursive: true, filter: isNeeded });
  const manifest = join(from, "package.json");
  const { dependencies, optionalDependencies } = ManifestSchema.parse(JSON.parse(readFileSync(manifest, "utf8")));
  for (const dependency of Object.keys(dependencies)) copyPackage(dependency, manifest, into);
  for (const optional of Object.keys(optionalDependencies)) {
    if (folderOf(optional, manifest) !== null) copyPackage(optional, manifest, into);
  }
}

const [target] = process.argv.slice(2);
if (target === undefined) {
  process.stderr.write("Usage: node image/bundle.ts DIRECTORY\n");
  process.exit(2);
}
const out = resolve(target);
rmSync(out, { recursive: true, force: true });

await build({
  entryPoints: { container: HOST },
  outdir: out,
  // What is loaded when it is asked for stays a file of its own.
  splitting: true,
  chunkNames: "[name]-[hash]",
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node22",
  minifyWhitespace: true,
  minifySyntax: true,
  external: Object.keys(APART),
  // What is CommonJS among the dependencies asks for Node's own modules with `require`.
  banner: { js: 'import{createRequire as $require}from"node:module";const require=$require(import.meta.url);' },
  logLevel: "warning",
});
for (const [name, importer] of Object.entries(APART)) copyPackage(name, importer, join(out, "node_modules"));
writeFileSync(join(out, "package.json"), '{ "type": "module", "private": true }\n');

// What the image starts with: not even the first process there keeps the secrets in its environment.
writeFileSync(join(out, "start.sh"), HANDS_OVER);

await buildPatchctl();
cpSync(join(PATCH_ENGINE, "cli/patchctl.cjs"), join(out, "patchctl/cli/patchctl.cjs"));
cpSync(join(PATCH_ENGINE, "dist"), join(out, "patchctl/dist"), { recursive: true });
chmodSync(join(out, "patchctl/cli/patchctl.cjs"), 0o755);
