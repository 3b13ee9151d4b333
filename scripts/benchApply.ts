import { arch, cpus, loadavg, platform, totalmem } from "node:os";
import { z } from "zod";
import { quantile, timed } from "./bench/callers.ts";
import { type Stack, startBare, startOurs } from "./bench/stacks.ts";

/**
 * `pnpm bench:apply`: one patch through `POST /api/patches/apply`, answered once its outcome is stored, with the real
 * engine, against a bare Worker that calls one object, makes one HTTP call and inserts one row. Both run under
 * `wrangler dev` in the same run and take turns; before the bare one's turn, ours has delivered everything it owes.
 */
const REACH = 2.5;
const ROUNDS = 8;
const WORKSPACES = 16;
const CALLERS = 64;

interface Shape {
  name: string;
  callers: number;
  workspaces: string[];
  /** Calls of one round. */
  calls: number;
}

const SHAPES: Shape[] = [
  { name: "one caller, one workspace", callers: 1, workspaces: ["bench-one"], calls: 25 },
  {
    name: `${CALLERS} callers, ${WORKSPACES} workspaces`,
    callers: CALLERS,
    workspaces: Array.from({ length: WORKSPACES }, (_, n) => `bench-${n}`),
    calls: 192,
  },
];

const AppliedSchema = z.object({ ok: z.literal(true), outcome: z.object({ status: z.literal("applied") }) });
const ChainSchema = z.object({ head: z.object({ seq: z.number() }), delivered: z.number() });

let minted = 0;
const batchOf = (workspaceId: string): string =>
  JSON.stringify({
    workspaceId,
    batchId: `bench-${(minted += 1)}`,
    requester: "bench",
    patches: [{ op: "replace-block", file: "README.md", start: 1, end: 1, block: `# Round ${minted}\n` }],
  });

async function openWorkspaces({ call }: Stack, workspaces: readonly string[]): Promise<void> {
  for (const workspaceId of workspaces) {
    const source = { kind: "template", template: "agent-factory" };
    await call("/api/workspaces", JSON.stringify({ workspaceId, source }));
  }
}

/** Waits until everything that was answered stands in D1 too, so that ours does not work on during the other's turn. */
async function settle({ call }: Stack, workspaces: readonly string[]): Promise<void> {
  for (const workspaceId of workspaces) {
    for (;;) {
      const chain = ChainSchema.parse(JSON.parse(await call(`/api/patches/verify?workspaceId=${workspaceId}`)));
      if (chain.delivered === chain.head.seq) break;
    }
  }
}

const itemsOf = ({ workspaces, calls }: Shape): string[] =>
  Array.from({ length: calls }, (_, n) => workspaces[n % workspaces.length] ?? "");

async function measure(ours: Stack, bare: Stack, shape: Shape) {
  const took = { ours: [] as number[], bare: [] as number[] };
  const ratios: number[] = [];
  const items = itemsOf(shape);
  const oneOfOurs = async (workspaceId: string) => {
    AppliedSchema.parse(JSON.parse(await ours.call("/api/patches/apply", batchOf(workspaceId))));
  };
  const oneOfBare = (workspaceId: string) => bare.call(`/?workspace=${workspaceId}`, batchOf(workspaceId));
  // The first round warms both up and does not count.
  for (let round = 0; round <= ROUNDS; round += 1) {
    const mine = await timed(items, shape.callers, oneOfOurs);
    await settle(ours, shape.workspaces);
    const others = await timed(items, shape.callers, oneOfBare);
    if (round === 0) continue;
    took.ours.push(...mine);
    took.bare.push(...others);
    ratios.push(quantile(mine, 0.5) / quantile(others, 0.5));
  }
  const p = (share: number) => ({ ours: quantile(took.ours, share), bare: quantile(took.bare, share) });
  const [p50, p99] = [p(0.5), p(0.99)];
  return { shape, calls: took.ours.length, p50, p99, ratio: quantile(ratios, 0.5) };
}

type Measured = Awaited<ReturnType<typeof measure>>;

const ms = (value: number): string => value.toFixed(2);

function page(results: readonly Measured[]): string {
  const [cpu] = cpus();
  const rows = results.map(({ shape, calls, p50, p99, ratio }) =>
    [
      shape.name,
      calls,
      `${ms(p50.ours)} (${ms(p99.ours)})`,
      `${ms(p50.bare)} (${ms(p99.bare)})`,
      `${ratio.toFixed(2)}×`,
      `≤ ${REACH}×`,
      ratio <= REACH ? "reached" : "missed",
    ].join(" | "),
  );
  const load = loadavg().map((value) => value.toFixed(1));
  return [
    `Latest run: ${cpus().length} × ${cpu?.model.trim() ?? "cpu"}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${platform()} ${arch()}, node ${process.version}, load average ${load.join(" ")}.`,
    [
      "| what | calls | ours, p50 (p99) | bare Worker, p50 (p99) | ratio | reach | |",
      "| --- | --- | --- | --- | --- | --- | --- |",
      ...rows.map((row) => `| ${row} |`),
    ].join("\n"),
    "",
  ].join("\n\n");
}

async function main(): Promise<void> {
  const ours = await startOurs();
  try {
    const bare = await startBare();
    try {
      await openWorkspaces(ours, [...new Set(SHAPES.flatMap((shape) => shape.workspaces))]);
      const results: Measured[] = [];
      for (const shape of SHAPES) results.push(await measure(ours, bare, shape));
      console.log(page(results));
    } finally {
      await bare.end();
    }
  } finally {
    await ours.end();
  }
}

await main();
