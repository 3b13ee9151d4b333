import { type ApplyResult, type CustodyRecord, type PatchBatchInput, type Result } from "@shared/contracts";
import { faultControl } from "@shared/testing/faultControl";
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { inject } from "vitest";
import { z } from "zod";
import { createContext, type ServiceContext, systemActor } from "../../worker/context.ts";
import { workspaceObject, type WorkspaceRpc } from "../../worker/durable-objects/workspace/rpc.ts";
import type { Workspace } from "../../worker/durable-objects/Workspace.ts";
import { applyPatches } from "../../worker/services/patch/applyPatches.ts";
import { openWorkspace } from "../../worker/services/workspace/openWorkspace.ts";

const engine = inject("engine");
export const faults = faultControl(engine.url);

/** The workspace's batches at the engine. Test files share the proxy, so a fault names whom it is for. */
export const batchesOf = (workspaceId: string) => ({ method: "POST", path: `${workspaceId}/batches` });

let minted = 0;
export const mint = (what: string): string => `${what}-${(minted += 1)}-${crypto.randomUUID().slice(0, 8)}`;

export const context = (actor = systemActor("test")): ServiceContext => createContext(env, { actor });

/** Opens a fresh workspace of 200 lines in `src/index.ts`. */
export async function aWorkspace(id = mint("ws")): Promise<string> {
  const opened = await openWorkspace(context(), { workspaceId: id, source: { kind: "path", path: engine.source } });
  if (!opened.ok) throw new Error(`${opened.error.code}: ${opened.error.message}`);
  return id;
}

export const object = (workspaceId: string): WorkspaceRpc => workspaceObject(env, nameOf(workspaceId));
const nameOf = (workspaceId: string): string => (workspaceId.includes(":") ? workspaceId : `ws:${workspaceId}`);

/** Runs code inside the workspace's object. */
export const inside = <T>(
  workspaceId: string,
  work: (instance: Workspace, state: DurableObjectState) => T | Promise<T>,
) => runInDurableObject<Workspace, T>(env.WORKSPACE.getByName(nameOf(workspaceId)) as never, work);

/** Kills the object at once: what it awaits never comes back to it. */
export async function abort(workspaceId: string): Promise<void> {
  await inside(workspaceId, (_, state) => state.abort("killed by the test")).catch(() => undefined);
}

/** Fires the alarm, as the platform would when it is due. */
export const ring = (workspaceId: string): Promise<void> => inside(workspaceId, (instance) => instance.alarm());

export const apply = (batch: PatchBatchInput): Promise<ApplyResult> => applyPatches(context(), batch);

/** A batch that replaces line `line` by the comment `// text`. */
export const aLine = (workspaceId: string, line: number, text: string, fields: Partial<PatchBatchInput> = {}) => ({
  workspaceId,
  batchId: mint("b"),
  patches: [{ op: "replace-block" as const, file: "src/index.ts", start: line, end: line, block: `// ${text}\n` }],
  ...fields,
});

async function command<T>(name: string, schema: z.ZodType<T>, input: { workspaceId: string; args: string[] }) {
  const response = await fetch(`${engine.control}/${name}`, { method: "POST", body: JSON.stringify(input) });
  if (!response.ok) throw new Error(await response.text());
  return schema.parse(await response.json());
}
export const patchctl = (workspaceId: string, ...args: string[]) =>
  command("patchctl", z.object({ code: z.number(), stdout: z.string(), stderr: z.string() }), { workspaceId, args });
export const linesOf = async (workspaceId: string, file = "src/index.ts"): Promise<string[]> =>
  (await command("read", z.object({ content: z.string() }), { workspaceId, args: [file] })).content.split("\n");
/** Makes this instance of the workspace's object use the spare host, whose disk may be lost. */
export const useSpareHost = (workspaceId: string): Promise<void> =>
  inside(workspaceId, (instance) => {
    Object.defineProperty(instance, "env", { value: { ...env, ENGINE_URL: engine.spareUrl } });
  });
export const loseSpareDisk = () => command("loseSpareDisk", z.object({}), { workspaceId: "", args: [] });

export async function chainOf(workspaceId: string): Promise<CustodyRecord[]> {
  return (await object(workspaceId).events(0, 1000)).records;
}

export const typesOf = (records: readonly { event_type?: string | undefined }[]) =>
  records.map((record) => record.event_type);

export async function rows<T = Record<string, unknown>>(query: string, ...bindings: unknown[]): Promise<T[]> {
  return (
    await env.DB_OPS.prepare(query)
      .bind(...bindings)
      .all<T>()
  ).results;
}

/** Waits until every sink of the workspace has everything, by running what the alarm runs. */
export async function delivered(workspaceId: string): Promise<void> {
  await ring(workspaceId);
}

export function value<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.message}`);
  return result;
}

/** What the hub's room for everything keeps of the workspace: one seq a message, in the order of its stream. */
export const hubSeqsOf = (workspaceId: string, room = "all"): Promise<number[]> =>
  runInDurableObject(env.EVENT_HUB.getByName(room) as never, (_: unknown, state) =>
    state.storage.sql
      .exec<{ seq: number }>("SELECT seq FROM messages WHERE workspace = ? ORDER BY offset", workspaceId)
      .toArray()
      .map((row) => row.seq),
  );
