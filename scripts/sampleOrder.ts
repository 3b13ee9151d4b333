import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient, type Client, type PatchLog } from "@shared/client";
import {
  type ApplyResult,
  type FulfilPhase,
  type Order,
  patchIdOf,
  type PatchEvent,
  type VibeError,
} from "@shared/contracts";
import { z } from "zod";
import {
  batchId,
  lastPatch,
  lastPatchId,
  samplePhases,
  sampleTasks,
  seedPhase,
  stalePatchId,
  type SamplePlace,
} from "./sample/phases.ts";
import { TemplateFiles } from "./sample/template.ts";

export interface SampleOptions {
  /** The orchestrator's address and a token that may do everything. */
  url: string;
  token: string;
  /** A git repository as the workspace's source. What it holds stays as it is: the sample works in `vibehq-sample/`. */
  repo?: string;
  /** Told each step when it is done. */
  log: (line: string) => void;
}

/** What ends the sample early: the step, and the error it met. */
class SampleFailure extends Error {
  constructor(step: string, { code, message }: Pick<VibeError, "code" | "message">) {
    super(`${step}: ${code}: ${message}`);
  }
}

/**
 * Has agent-factory fulfil an order in three phases. One of them brings a patch that was written before its file
 * changed: it is refused with the whole batch, and the factory corrects it from the structured error alone. All ids
 * are fixed, so that running it again changes nothing and shows the same outcome.
 */
export async function runSampleOrder(options: SampleOptions): Promise<{ ok: boolean; lines: string[] }> {
  try {
    return { ok: true, lines: await fulfil(options) };
  } catch (error) {
    if (error instanceof SampleFailure) return { ok: false, lines: [`The sample order failed at ${error.message}`] };
    throw error;
  }
}

async function fulfil({ url, token, repo, log }: SampleOptions): Promise<string[]> {
  const client = createClient({ url, token });
  const place: SamplePlace =
    repo === undefined
      ? { orderId: "ORD-SAMPLE", folder: "" }
      : { orderId: `ORD-SAMPLE-${shortHash(repo)}`, folder: "vibehq-sample/" };
  const order = await takeOrder(client, place, repo);
  log(`Order ${order.id} for ${order.factory}: ${order.title}.`);

  const template = TemplateFiles.read();
  const seed = repo === undefined ? [] : [seedPhase(place, template)];
  for (const phase of [...seed, ...samplePhases(place, template)]) await runPhase(client, phase, log);
  await revertAndApplyAgain(client, place, order, log);
  return report(client, place, order, url);
}

const shortHash = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 8);

async function takeOrder(client: Client, place: SamplePlace, repo: string | undefined): Promise<Order> {
  const { orderId } = place;
  const projectId = `PRJ-${orderId}`;
  const project = await client.projects.create({ id: projectId, name: "Sample", repository: repo ?? null });
  if (!project.ok && project.error.code !== "CONFLICT") throw new SampleFailure("the project", project.error);
  const taken = await client.orders.create({
    id: orderId,
    projectId,
    title: "an agent that counts and reverses words",
    description: "The sample order: three phases of patches to a small agent.",
    factory: "agent-factory",
    source: repo === undefined ? { kind: "template", template: "agent-factory" } : { kind: "git", repository: repo },
    tasks: sampleTasks(place),
  });
  if (!taken.ok) throw new SampleFailure("taking the order", taken.error);
  return taken.order;
}

/** A phase whose batch, or its correction, stands in the log already is not asked for again. */
async function runPhase(client: Client, phase: FulfilPhase, log: (line: string) => void): Promise<void> {
  const { batchId: id = "" } = phase;
  const first = patchIdOf(id, 0);
  if ((await wasApplied(client, first)) || (await wasApplied(client, `${first}.corrected`))) {
    log(`Phase ${phase.phase}: applied before.`);
    return;
  }
  const { outcome } = applied(`phase ${phase.phase}`, await client.orders.fulfilPhase(phase));
  const patches = `${outcome.patches.length} patches in ${outcome.files.length} files`;
  log(`Phase ${phase.phase}: ${patches}${outcome.batchId === id ? "" : ", refused once and corrected"}.`);
}

async function wasApplied(client: Client, patchId: string): Promise<boolean> {
  const found = await client.patches.get(patchId);
  return found.ok && found.events.some(({ event_type }) => event_type === "patch_applied");
}

function applied(step: string, result: ApplyResult): { outcome: Outcome; results: PatchEvent[] } {
  if (!result.ok) throw new SampleFailure(step, result.error);
  if (result.outcome.status !== "applied") {
    throw new SampleFailure(step, { code: "ENGINE_TIMEOUT", message: `the batch is ${result.outcome.status}` });
  }
  return result;
}

type Outcome = Extract<ApplyResult, { ok: true }>["outcome"];

async function revertAndApplyAgain(
  client: Client,
  place: SamplePlace,
  { id: orderId, workspace_id: workspaceId }: Order,
  log: (line: string) => void,
): Promise<void> {
  const address = { orderId, workspaceId, requester: "sample" };
  const target = { by: "patch" as const, id: lastPatchId(place) };
  applied(
    "the revert",
    await client.patches.revert({ ...address, target, batchId: batchId(place, "undo"), reason: "shows a revert" }),
  );
  const again = `${target.id}.again`;
  const batch = { ...address, batchId: batchId(place, "again"), reason: "after the revert" };
  applied("the patch again", await client.patches.apply({ ...batch, patches: [lastPatch(place, again)] }));
  const checked = await client.patches.validate({ workspaceId, batchId: batch.batchId });
  if (!checked.ok) throw new SampleFailure("checking the patch again", checked.error);
  log(`Patch ${target.id}: reverted, and applied again as ${again}.`);
}

const READ_MS = 20_000;

/** The order's events as the log has them, once the last of them has reached it: the log follows the workspace. */
async function readLog(client: Client, place: SamplePlace): Promise<PatchLog[]> {
  const last = `${lastPatchId(place)}.again`;
  const deadline = Date.now() + READ_MS;
  for (;;) {
    const logs = await client.patches.logs({ order_id: place.orderId, limit: 500, order: "asc" });
    if (!logs.ok) throw new SampleFailure("reading the log", logs.error);
    const isComplete = logs.results.some((row) => row.patch_id === last && row.event_type === "patch_applied");
    if (isComplete) return logs.results;
    if (Date.now() > deadline) {
      throw new SampleFailure("reading the log", { code: "DATABASE_UNAVAILABLE", message: `${last} is not in it` });
    }
    await sleep(100);
  }
}

async function report(client: Client, place: SamplePlace, { id, workspace_id }: Order, url: string): Promise<string[]> {
  const events = await readLog(client, place);
  const order = await client.orders.get(id);
  if (!order.ok) throw new SampleFailure("reading the order", order.error);
  const workspace = await client.workspaces.get(workspace_id);
  if (!workspace.ok) throw new SampleFailure("reading the workspace", workspace.error);
  const chain = await client.patches.verify(workspace_id);
  if (!chain.ok) throw new SampleFailure("verifying the chain", chain.error);

  const of = (type: string) => events.filter(({ event_type }) => event_type === type);
  const files = new Set(of("patch_applied").map(({ file_path }) => file_path));
  const ops = new Set(of("patch_applied").map(({ op }) => op));
  const { head, treeHash } = workspace.workspace;
  return [
    `Order ${id} is ${order.order.status}; its tasks: ${order.tasks.map((task) => task.status).join(", ")}.`,
    `${of("patch_applied").length} patches applied to ${files.size} files with ${ops.size} operations, ` +
      `${of("patch_failed").length} refused, ${of("patch_reverted").length} reverted.`,
    ...(await describeCorrection(client, place)),
    `Log: ${head.seq} entries, head ${head.hash}. The custody chain verifies.`,
    `Tree: ${treeHash}`,
    `Look: GET ${url}/api/patches/logs?order_id=${id}, GET ${url}/api/patches/${stalePatchId(place)}`,
  ];
}

const CodeSchema = z.object({ code: z.string() });

/** The stale patch's refusal and its correction, as the record tells them. */
async function describeCorrection(client: Client, place: SamplePlace): Promise<string[]> {
  const id = stalePatchId(place);
  const refused = await client.patches.get(id);
  const corrected = await client.patches.get(`${id}.corrected`);
  if (!refused.ok) throw new SampleFailure("reading the refusal", refused.error);
  if (!corrected.ok) throw new SampleFailure("reading the correction", corrected.error);
  const error = refused.events.find(({ event_type }) => event_type === "patch_failed")?.meta.error;
  const code = CodeSchema.safeParse(error).data?.code ?? "no code";
  return [
    `Patch ${id} (${refused.patch.file}) was refused: ${code}. Corrected from that error alone, it is ` +
      `${corrected.patch.event_type ?? "patch_applied"} as ${id}.corrected.`,
  ];
}
