import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { startEngineHost } from "@shared/testing";
import { buildPatchctl } from "../../build.ts";
import { measure, timingOf, type Row, type Timing } from "./measure.ts";

/** `patchctl` as it is shipped: the launcher, with the bundle that `npm run setup` makes. */
const PATCHCTL = fileURLToPath(new URL("../../cli/patchctl.cjs", import.meta.url));
const BATCHES = 1_000;
/** Process starts that are timed; a thousand of them would only take longer. */
const STARTS = 40;
/** Runs of `serve --stdio` with a thousand batches each. */
const SERVED = 5;

const EDIT = ["append", "--file", "file.txt", "--block", "one more"];
const BATCH = JSON.stringify({ patches: [{ op: "append", file: "file.txt", block: "one more\n" }] });
const LOG = ["log", "--limit", "1"];

/**
 * What `patchctl` takes from its start to its end beside a bare node, alone and where a host holds the workspace; and
 * what a batch takes in a process of many beside one in a process of its own.
 */
export async function measureStart(): Promise<{ rows: Row[]; remarks: string[] }> {
  await buildPatchctl();
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "vibehq-bench-")));
  const alone = workspace(join(directory, "alone"));
  const source = workspace(join(directory, "source"));
  const dataDir = join(directory, "data");
  const host = await startEngineHost({ sourceRoots: [directory], dataDir });
  try {
    const opened = await host.request("POST", "/v1/workspaces", {
      workspaceId: "bench",
      source: { kind: "path", path: source },
    });
    if (opened.status >= 300) throw new Error("the workspace was not opened");
    const [name = ""] = readdirSync(join(dataDir, "workspaces"));
    const held = join(dataDir, "workspaces", name);
    const patchctl = (cwd: string, args: string[], input?: string) => (): void => node(cwd, [PATCHCTL, ...args], input);
    const cases: { name: string; run: () => void }[] = [
      { name: "node -e 0", run: () => node(alone, ["-e", "0"]) },
      { name: "patchctl --help", run: patchctl(alone, ["--help"]) },
      { name: "patchctl log, alone", run: patchctl(alone, LOG) },
      { name: "patchctl append --dry-run, alone", run: patchctl(alone, [...EDIT, "--dry-run"]) },
      { name: "patchctl append, alone", run: patchctl(alone, EDIT) },
      { name: "patchctl apply -, alone", run: patchctl(alone, ["apply", "-"], BATCH) },
      { name: "patchctl log, through a host's socket", run: patchctl(held, LOG) },
      { name: "patchctl append --dry-run, through a host's socket", run: patchctl(held, [...EDIT, "--dry-run"]) },
      { name: "patchctl append, through a host's socket", run: patchctl(held, EDIT) },
    ];
    const timings = await measure(cases, STARTS);
    checkLines(alone, 2 * (STARTS + 1), "a process of its own");
    checkLines(held, STARTS + 1, "the host");
    // What it wrote is read while this waits for its end.
    await host.stop();
    const served = host.stderr().split('"message":"command line"').length - 1;
    if (served !== 3 * (STARTS + 1)) throw new Error(`the host carried out ${served} command lines`);

    const of = (name: string): Timing => {
      const found = timings.get(name);
      if (!found) throw new Error(`nothing was measured of ${name}`);
      return found;
    };
    const against = of("node -e 0");
    const rows = cases.slice(1).map((one): Row => {
      // An edit waits for the disk, which a bare node does not.
      const waits = / (append|apply -),/.test(one.name);
      const limit = one.name.includes("socket") ? 1.3 : 1.6;
      return { what: one.name, ours: of(one.name), against, reach: waits ? null : { slower: limit } };
    });

    const each: number[] = [];
    for (let run = 0; run < SERVED; run++) each.push(await servedBatch(workspace(join(directory, `served${run}`))));
    rows.push({
      what: `${BATCHES} small batches through one \`patchctl serve --stdio\`, each`,
      ours: timingOf("a batch of one process", each),
      against: of("patchctl apply -, alone"),
      reach: { faster: 50 },
    });
    return { rows, remarks: [] };
  } finally {
    await host.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

function node(cwd: string, args: string[], input = ""): void {
  const { status, stderr } = spawnSync(process.execPath, args, { cwd, input, encoding: "utf8" });
  if (status !== 0) throw new Error(`node ${args.join(" ")}: ${stderr}`);
}

function workspace(root: string): string {
  mkdirSync(join(root, ".git"), { recursive: true });
  writeFileSync(join(root, "file.txt"), "the first\n");
  return root;
}

function checkLines(root: string, edits: number, who: string): void {
  const text = readFileSync(join(root, "file.txt"), "utf8");
  if (text !== `the first\n${"one more\n".repeat(edits)}`) throw new Error(`${who} lost a batch`);
}

/** Milliseconds a batch takes when 1,000 go through one `patchctl serve --stdio`, its start and end included. */
async function servedBatch(root: string): Promise<number> {
  const start = performance.now();
  const child = spawn(process.execPath, [PATCHCTL, "serve", "--stdio"], {
    cwd: root,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const closed = new Promise((resolve) => child.once("close", resolve));
  child.stdin.end(`${BATCH}\n`.repeat(BATCHES));
  let answers = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const answer: unknown = JSON.parse(line);
    if (typeof answer !== "object" || answer === null || !("ok" in answer) || answer.ok !== true) {
      throw new Error(`a batch was refused: ${line}`);
    }
    answers++;
  }
  await closed;
  const took = performance.now() - start;
  if (answers !== BATCHES) throw new Error(`${answers} of ${BATCHES} batches were answered`);
  checkLines(root, BATCHES, "the served process");
  return took / BATCHES;
}
