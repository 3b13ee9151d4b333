import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { build, type BuildOptions, type Metafile, type Plugin } from "esbuild";

/**
 * Bundles `patchctl` into `dist/patchctl/`: Node then neither strips types nor looks for a hundred modules. The launcher
 * is a file of its own, as it is all that is loaded where a host does the work. `inputs.json` lists the sources
 * it was made of; `cli/patchctl.cjs` runs these instead where one of them is no longer what it was.
 */

const HERE = import.meta.dirname;
const ROOT = resolve(HERE, "../..");
const TARGET = join(HERE, "dist", "patchctl");

interface Manifest {
  /** Over the paths and contents of all that went in, dependencies included. */
  hash: string;
  /** All that went in, by path from the repository's root. */
  files: string[];
}

const common = {
  absWorkingDir: ROOT,
  bundle: true,
  minify: true,
  platform: "node",
  target: "node22",
  metafile: true,
  logLevel: "silent",
  // The one has a native part, which it looks for beside itself; the other only agents need, who stay.
  external: ["oxc-parser", "@modelcontextprotocol/sdk/*"],
  // `import()` of what is CommonJS makes Node search all of its text for names; `require` does not.
  supported: { "dynamic-import": false },
  // What asks where it is to find a package, finds it from the bundle as well.
  define: { "process.env.NODE_ENV": '"production"', "import.meta.url": "__filename" },
} satisfies BuildOptions;

/** Keeps one module out of a bundle: there it is the file that another bundle makes of it. */
const apart = (module: RegExp, path: string): Plugin => ({
  name: "apart",
  setup: (bundling) => bundling.onResolve({ filter: module }, () => ({ path, external: true })),
});

/**
 * Lets unused parts be left out: schemas reach for `z`, which as one object holds all of zod, every language's messages
 * among it, while of a namespace only what is named stays; and no module here does anything but define what it exports.
 */
const prune: Plugin = {
  name: "prune",
  setup(bundling) {
    bundling.onResolve({ filter: /^(@shared\/contracts|\.{1,2}\/.*\.ts)$/ }, async ({ path, pluginData, ...from }) => {
      if (pluginData === prune) return undefined;
      return { ...(await bundling.resolve(path, { ...from, pluginData: prune })), sideEffects: false };
    });
    bundling.onLoad({ filter: /\.ts$/ }, async ({ path }) => ({
      contents: (await readFile(path, "utf8")).replace('import { z } from "zod";', 'import * as z from "zod";'),
      loader: "ts",
    }));
  },
};

/** Makes the bundle; "kept" where what it would be made of has not changed. */
export async function buildPatchctl(): Promise<"built" | "kept"> {
  const before = readManifest();
  if (before && hashOf(before.files) === before.hash) {
    writeFileSync(join(TARGET, "inputs.json"), JSON.stringify(ownOf(before.files)));
    return "kept";
  }
  const staging = `${TARGET}.${process.pid}`;
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { recursive: true });
  try {
    const launcher = await build({
      ...common,
      entryPoints: [join(HERE, "cli/launch.ts")],
      outfile: join(staging, "launch.cjs"),
      format: "cjs",
      plugins: [apart(/\/run\.ts$/, "./run.cjs")],
    });
    const program = await build({
      ...common,
      entryPoints: [join(HERE, "cli/run.ts")],
      outfile: join(staging, "run.cjs"),
      format: "cjs",
      plugins: [prune],
    });
    const files = [...new Set([launcher, program].flatMap(({ metafile }) => inputsOf(metafile)))];
    const manifest: Manifest = { hash: hashOf(files), files };
    writeFileSync(join(staging, "inputs.json"), JSON.stringify(ownOf(files)));
    writeFileSync(join(staging, "build.json"), JSON.stringify(manifest));
    rmSync(TARGET, { recursive: true, force: true });
    renameSync(staging, TARGET);
    return "built";
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

const inputsOf = (metafile: Metafile): string[] => Object.keys(metafile.inputs);

/** This repository's own files with their mtime in ms and their bytes, by which a change is seen without reading them. */
function ownOf(files: readonly string[]): [path: string, mtimeMs: number, size: number][] {
  const own = files.filter((file) => !file.includes("node_modules/"));
  return own.map((file) => {
    const { mtimeMs, size } = statSync(join(ROOT, file));
    return [file, mtimeMs, size];
  });
}

function hashOf(files: readonly string[]): string {
  const hash = createHash("sha256");
  for (const file of [...files, "containers/patch-engine/build.ts"]) {
    const path = join(ROOT, file);
    hash.update(`${file}\0`).update(existsSync(path) ? readFileSync(path) : "gone");
  }
  return hash.digest("hex");
}

function readManifest(): Manifest | null {
  const path = join(TARGET, "build.json");
  if (!existsSync(path) || !existsSync(join(TARGET, "run.cjs"))) return null;
  const manifest: Manifest = JSON.parse(readFileSync(path, "utf8"));
  return manifest;
}

if (import.meta.main) process.stdout.write(`${await buildPatchctl()}\n`);
