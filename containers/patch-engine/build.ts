import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build, type BuildOptions, type Metafile, type Plugin } from "esbuild";

/**
 * Bundles `patchctl` into `dist/patchctl/`: Node then neither strips types nor looks for a hundred modules. The launcher
 * is a file of its own, as it is all that is loaded where a host does the work. `run.cache` is the program as V8 compiled
 * it. `inputs.json` lists the sources of both; `cli/patchctl.cjs` runs these instead where one is no longer what it was.
 */

const HERE = import.meta.dirname;
const ROOT = resolve(HERE, "../..");
const TARGET = join(HERE, "dist", "patchctl");
const COMPILED = join(HERE, "cli/compiled.cjs");

interface Manifest {
  /** Over the paths and contents of all that went in, dependencies included. */
  hash: string;
  /** All that went into each part, by path from the repository's root. */
  parts: { launch: string[]; run: string[] };
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
  if (before && hashOf(before.parts) === before.hash) {
    writeFileSync(join(TARGET, "inputs.json"), inputsOf(before.parts));
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
    });
    const program = await build({
      ...common,
      entryPoints: [join(HERE, "cli/run.ts")],
      outfile: join(staging, "run.cjs"),
      format: "cjs",
      plugins: [prune],
    });
    copyFileSync(COMPILED, join(staging, "compiled.cjs"));
    compile(staging);
    const parts = { launch: filesOf(launcher.metafile), run: filesOf(program.metafile) };
    const manifest: Manifest = { hash: hashOf(parts), parts };
    writeFileSync(join(staging, "inputs.json"), inputsOf(parts));
    writeFileSync(join(staging, "build.json"), JSON.stringify(manifest));
    rmSync(TARGET, { recursive: true, force: true });
    renameSync(staging, TARGET);
    return "built";
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/**
 * Has a bare Node, as `patchctl` will be run by, carry out the commonest command lines in a workspace of their own, and
 * keep what it compiled.
 */
function compile(directory: string): void {
  const workspace = mkdtempSync(join(tmpdir(), "vibehq-build-"));
  try {
    mkdirSync(join(workspace, ".git"));
    writeFileSync(join(workspace, "a.txt"), "one\n");
    const [store, program, cache] = ["compiled.cjs", "run.cjs", "run.cache"].map((name) => join(directory, name));
    const commands = [
      ["append", "--file", "a.txt", "--block", "two"],
      ["replace-block", "--file", "a.txt", "--start", "1", "--end", "1", "--block", "three", "--dry-run"],
      ["apply", "-", "--dry-run"],
      ["log", "--limit", "1"],
      ["verify"],
    ];
    const batch = JSON.stringify({ patches: [{ op: "append", file: "a.txt", block: "four\n" }] });
    const script = `require(${JSON.stringify(store)}).store(${JSON.stringify(program)}, ${JSON.stringify(cache)},
      async ({ run }) => { for (const argv of ${JSON.stringify(commands)}) if (await run(argv, ${JSON.stringify(batch)})) process.exit(1); })`;
    // Without what the environment tells a Node or a patchctl: the code is kept for those that are not told so.
    execFileSync(process.execPath, ["-e", script], { cwd: workspace, env: {}, stdio: ["ignore", "ignore", "inherit"] });
  } finally {
    rmSync(workspace, { recursive: true, force: true });
  }
}

const filesOf = (metafile: Metafile): string[] => Object.keys(metafile.inputs);

/** What `inputs.json` holds: of each part, this repository's own files as they stand. */
const inputsOf = ({ launch, run }: Manifest["parts"]): string =>
  JSON.stringify({ launch: ownOf(launch), run: ownOf(run) });

/** This repository's own files with their mtime in ms and their bytes, by which a change is seen without reading them. */
function ownOf(files: readonly string[]): [path: string, mtimeMs: number, size: number][] {
  const own = files.filter((file) => !file.includes("node_modules/"));
  return own.map((file) => {
    const { mtimeMs, size } = statSync(join(ROOT, file));
    return [file, mtimeMs, size];
  });
}

function hashOf({ launch, run }: Manifest["parts"]): string {
  const hash = createHash("sha256");
  const makers = ["containers/patch-engine/build.ts", "containers/patch-engine/cli/compiled.cjs"];
  // The code is of one version of Node.
  hash.update(process.version);
  for (const file of new Set([...launch, ...run, ...makers])) {
    const path = join(ROOT, file);
    hash.update(`${file}\0`).update(existsSync(path) ? readFileSync(path) : "gone");
  }
  return hash.digest("hex");
}

function readManifest(): Manifest | null {
  const path = join(TARGET, "build.json");
  if (!existsSync(path) || !existsSync(join(TARGET, "run.cache"))) return null;
  const manifest: Manifest = JSON.parse(readFileSync(path, "utf8"));
  // Another build made it, before there were parts.
  return manifest.parts === undefined ? null : manifest;
}

if (import.meta.main) process.stdout.write(`${await buildPatchctl()}\n`);
