import { z } from "zod";

/**
 * Branded ids: a `TaskId` is not a `BatchId`, though both are strings.
 * The alphabet of each keeps it usable as a file name, a URL segment and a Durable Object name.
 */
const idOf = (pattern: RegExp, max: number, what: string) =>
  z.string().min(1).max(max).regex(pattern, `${what}: only ${pattern.source} is allowed`);

const PLAIN_ID = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

export const OrderIdSchema = idOf(PLAIN_ID, 100, "order id").brand<"OrderId">();
export const ProjectIdSchema = idOf(PLAIN_ID, 100, "project id").brand<"ProjectId">();
export const TaskIdSchema = idOf(PLAIN_ID, 100, "task id").brand<"TaskId">();
/** An id a caller chose to make a batch idempotent; a door mints one where it is absent. */
export const BatchIdSchema = idOf(PLAIN_ID, 100, "batch id").brand<"BatchId">();
export const PatchIdSchema = idOf(PLAIN_ID, 128, "patch id").brand<"PatchId">();
/**
 * A plain id (`default`, `web-2`), or `order:<orderId>`, or `branch:<projectId>:<branch, percent-encoded>`.
 * `workspaceIdOf` builds the latter two.
 */
export const WorkspaceIdSchema = idOf(
  /^(?:[A-Za-z0-9][A-Za-z0-9._-]*|order:[A-Za-z0-9][A-Za-z0-9._-]*|branch:[A-Za-z0-9][A-Za-z0-9._-]*:[A-Za-z0-9._%~-]+)$/,
  200,
  "workspace id",
).brand<"WorkspaceId">();
/** SHA-256 as 64 lower-case hexadecimal digits. */
export const Sha256Schema = z.string().regex(/^[0-9a-f]{64}$/, "expected 64 lower-case hexadecimal digits");

export type OrderId = z.infer<typeof OrderIdSchema>;
export type ProjectId = z.infer<typeof ProjectIdSchema>;
export type TaskId = z.infer<typeof TaskIdSchema>;
export type BatchId = z.infer<typeof BatchIdSchema>;
export type PatchId = z.infer<typeof PatchIdSchema>;
export type WorkspaceId = z.infer<typeof WorkspaceIdSchema>;
export type Sha256 = z.infer<typeof Sha256Schema>;

/** Where a batch belongs, as far as its sender said. */
export interface WorkspaceAddress {
  workspaceId?: string | undefined;
  orderId?: string | undefined;
  projectId?: string | undefined;
  branch?: string | undefined;
}

/**
 * The workspace a batch belongs to: the one it names, else its order's, else its project's branch, else `default`.
 * Null for a branch without a project, which names no tree, and for what makes no valid id.
 */
export function workspaceIdOf(address: WorkspaceAddress): WorkspaceId | null {
  const { workspaceId, orderId, projectId, branch } = address;
  const id =
    workspaceId ??
    (orderId !== undefined
      ? `order:${orderId}`
      : branch
        ? projectId !== undefined
          ? `branch:${projectId}:${encodeURIComponent(branch)}`
          : null
        : "default");
  const parsed = WorkspaceIdSchema.safeParse(id);
  return parsed.success ? parsed.data : null;
}

/** The order whose own workspace this is; null for any other. What names no order there belongs to this one. */
export function orderOfWorkspace(workspaceId: string): string | null {
  return workspaceId.startsWith("order:") ? workspaceId.slice("order:".length) : null;
}

/** The name of the Durable Object that governs a workspace: `ws:<id>`, `order:<id>` or `branch:<project>:<branch>`. */
export function workspaceObjectName(id: WorkspaceId): string {
  return id.includes(":") ? id : `ws:${id}`;
}

/**
 * The id of a batch's patch whose sender gave it none, by its 0-based place in the batch. Every door derives the same
 * one, so a patch has its name before it is planned and keeps it when the batch is sent again.
 */
export function patchIdOf(batchId: string, index: number): string {
  return `${batchId}.p${index + 1}`;
}
