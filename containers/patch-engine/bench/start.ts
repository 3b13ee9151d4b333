import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { buildPatchctl } from "../build.ts";
import { openEngine } from "../index.ts";
import { listenOnSocket, POINTER } from "../serving/index.ts";

/**
 * How long `patchctl` takes from start to end, against `node -e 0`, and what many batches in one process save.
 * `node containers/patch-engine/bench/start.ts [rounds]`: the cases take turns, so that a busy machine slows them alike;
 * medians in ms, and their ratio to the bare one. The host of the socket is another process, as it is in use.
 */

const SMALL_BATCHES = 1000;
const STARTS = 30;

async function serveForBench(root: string, socket: string): Promise<void> {
  const opened = await openEngine({ root, workspaceId: "bench" });
  if (!opened.ok) throw new Error(opened.error.message);
  const { engine } = opened;
  const server = await listenOnSocket(socket, {
    rootOf: () => Promise.resolve(root),
    use: (_id, work) => work(engine),
    onAnswer: () => undefined,
    onError: (error) => process.stderr.write(`${String(error)}\n`),
  });
  process.stdin.once("end", () => void server?.close().then(() => engine.close())).resume();
  process.stdout.write("ready\n");
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

function workspace(): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "vibehq-start-")));
  mkdirSync(join(root, ".mission_control"));
  writeFileSync(join(root, "a.txt"), "one\ntwo\n");
  return root;
}

async function bench(rounds: number): Promise<void> {
  await buildPatchctl();
  const cli = resolve(import.meta.dirname, "../cli");
  const bin = resolve(import.meta.dirname, "../../../node_modules/.bin/patchctl");
  const [alone, held] = [workspace(), workspace()];
  const socket = join(held, "..", `${held.slice(-6)}.sock`);
  const host = spawn(process.execPath, [import.meta.filename, "--serve", held, socket], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  try {
    await new Promise((ready) => createInterface({ input: host.stdout }).once("line", ready));
    const pointer = { v: 1, socket, workspaceId: "bench" };
    writeFileSync(join(held, ".mission_control", POINTER), JSON.stringify(pointer), { mode: 0o600 });

    const node = process.execPath;
    const dry = ["append", "--file", "a.txt", "--block", "x", "--dry-run"];
    const edit = dry.slice(0, -1);
    const cases: [name: string, cwd: string, program: string, args: string[]][] = [
      ["node -e 0", alone, node, ["-e", "0"]],
      ["patchctl, wrong use", alone, node, [`${cli}/patchctl.cjs`, "no-such-verb"]],
      ["patchctl --help", alone, node, [`${cli}/patchctl.cjs`, "--help"]],
      ["patchctl log, alone", alone, node, [`${cli}/patchctl.cjs`, "log", "--limit", "1"]],
      ["patchctl append --dry-run, alone", alone, node, [`${cli}/patchctl.cjs`, ...dry]],
      ["  the same from the sources", alone, node, [`${cli}/patchctl.ts`, ...dry]],
      ["patchctl append, alone", alone, node, [`${cli}/patchctl.cjs`, ...edit]],
      ["patchctl log, through a host", held, node, [`${cli}/patchctl.cjs`, "log", "--limit", "1"]],
      ["patchctl append --dry-run, through a host", held, node, [`${cli}/patchctl.cjs`, ...dry]],
      ["  the same by node_modules/.bin", held, bin, dry],
      ["patchctl append, through a host", held, node, [`${cli}/patchctl.cjs`, ...edit]],
    ];
    const times = cases.map((): number[] => []);
    for (let round = -2; round < rounds; round += 1) {
      for (const [at, [name, cwd, program, args]] of cases.entries()) {
        const started = performance.now();
        const { status, stderr } = spawnSync(program, args, { cwd, encoding: "utf8" });
        const took = performance.now() - started;
        if (status !== (name === "patchctl, wrong use" ? 2 : 0)) throw new Error(`${name}: ${stderr}`);
        // The first rounds fill the compile cache.
        if (round >= 0) times[at]?.push(took);
      }
    }
    const bare = median(times[0] ?? []);
    for (const [at, [name]] of cases.entries()) {
      const time = median(times[at] ?? []);
      process.stdout.write(
        `${name.padEnd(46)}${time.toFixed(1).padStart(8)} ms${(time / bare).toFixed(2).padStart(8)}×\n`,
      );
    }
    throughput(`${cli}/patchctl.cjs`);
  } finally {
    host.stdin.end();
    for (const root of [alone, held]) rmSync(root, { recursive: true, force: true });
  }
}

/** Many small batches through one process, against a process for each. */
function throughput(program: string): void {
  const root = workspace();
  try {
    const batch = JSON.stringify({ patches: [{ op: "append", file: "b.txt", block: "x\n" }] });
    const started = performance.now();
    const options = { cwd: root, encoding: "utf8", maxBuffer: 1024 ** 3 } as const;
    const served = spawnSync(process.execPath, [program, "serve", "--stdio"], {
      ...options,
      input: `${batch}\n`.repeat(SMALL_BATCHES),
    });
    const each = (performance.now() - started) / SMALL_BATCHES;
    if (readFileSync(join(root, "b.txt"), "utf8").length !== 2 * SMALL_BATCHES) throw new Error(served.stderr);
    rmSync(join(root, ".mission_control"), { recursive: true });
    mkdirSync(join(root, ".mission_control"));
    const starting = performance.now();
    for (let start = 0; start < STARTS; start += 1) {
      const { status, stderr } = spawnSync(process.execPath, [program, "apply", "-"], { ...options, input: batch });
      if (status !== 0) throw new Error(stderr);
    }
    const start = (performance.now() - starting) / STARTS;
    process.stdout.write(
      `${SMALL_BATCHES} batches in one process: ${each.toFixed(2)} ms each; ` +
        `a process each (${STARTS} of them): ${start.toFixed(1)} ms; ${(start / each).toFixed(0)}×\n`,
    );
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

const [first = "31", root = "", socket = ""] = process.argv.slice(2);
await (first === "--serve" ? serveForBench(root, socket) : bench(Number(first)));
