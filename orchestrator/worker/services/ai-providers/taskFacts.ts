import {
  type Failed,
  githubRepositoryOf,
  type Order,
  orderBranchOf,
  type Project,
  type ProviderName,
  type Result,
  type Routing,
  RoutingSchema,
  type StatedRouting,
  type Task,
} from "@shared/contracts";
import picomatch from "picomatch";
import type { ServiceContext } from "../../context.ts";
import { providerState } from "../../durable-objects/provider-state/rpc.ts";
import { projectOfRow } from "../project/projectOfRow.ts";
import { findTask } from "../task/getTask.ts";
import { askEngine } from "../workspace/workspaceObject.ts";
import { branchExists, type GetBranch } from "./branchExists.ts";
import type { ProviderFacts, TaskFacts } from "./routing/facts.ts";
import { languageOf } from "./routing/language.ts";

/** What a model may be shown: as many files, and as many bytes of them, at most. */
export const MODEL_FILES = 20;
export const MODEL_BYTES = 200_000;

/** What these verbs ask of outside systems. */
export interface Outside {
  getBranch: GetBranch | null;
}

/** A task, whose it is, and how it is to be routed. Errors: NOT_FOUND, FORBIDDEN. */
export async function routedTask(
  ctx: ServiceContext,
  taskId: string,
): Promise<Result<{ task: Task; order: Order; project: Project | null; routing: Routing }>> {
  const found = await findTask(ctx, taskId);
  if (!found.ok) return found;
  const { task, order } = found;
  const projectId = order.project_id ?? order.routing?.projectId ?? null;
  const row =
    projectId === null
      ? undefined
      : await ctx.db.projects.selectFrom("projects").selectAll().where("id", "=", projectId).executeTakeFirst();
  const project = row ? projectOfRow(row) : null;
  return { ok: true, task, order, project, routing: routingOf(order.routing, project?.routing) };
}

/** The order's word, else the project's, else the default. */
export const routingOf = (order: StatedRouting = {}, project: StatedRouting = {}): Routing =>
  RoutingSchema.parse({ ...project, ...order });

/**
 * What is true of a task for a decision: what it is, what its workspace holds, what GitHub has. An outside system that
 * does not answer is a reason against those who need it, not a failure. Errors: NOT_FOUND, FORBIDDEN.
 */
export async function taskFacts(
  ctx: ServiceContext,
  input: { taskId: string; preferred: ProviderName | null },
  providers: readonly ProviderFacts[],
  outside: Outside,
): Promise<Result<{ facts: TaskFacts; order: Order }>> {
  const routed = await routedTask(ctx, input.taskId);
  if (!routed.ok) return routed;
  const { task, order, project, routing } = routed;
  const preferred = input.preferred ?? routing.provider;
  const isOpen = (needs: string): boolean =>
    providers.some(
      ({ definition, keyPresent }) =>
        definition.needs === needs && (definition.name === preferred || (definition.enabled && keyPresent)),
    );
  const [tree, github, spend] = await Promise.all([
    treeOf(ctx, task, order, isOpen("files")),
    githubOf(ctx, order, project, isOpen("github-branch") ? outside.getBranch : null),
    routing.maxCostUsd === null ? null : providerState(ctx.env).orderSpend(order.id),
  ]);
  const facts: TaskFacts = {
    taskId: task.id,
    inputs: {
      type: task.type,
      language: languageOf(
        task.allowed.map(({ files }) => files),
        tree.matched,
      ),
      priority: routing.priority,
      cost_profile: routing.cost_profile,
      preferredModel: routing.preferredModel,
      preferred,
      repository: github.repository,
      branch: github.branch,
      branchOnGithub: github.missing === null,
    },
    branchMissing: github.missing,
    workspace: tree.workspace,
    fit: tree.fit,
    orderBudget: routing.maxCostUsd === null || spend === null ? null : { limit: routing.maxCostUsd, ...spend },
  };
  return { ok: true, facts, order };
}

/** The files of the task's workspace, and whether those it may edit fit into a question. */
async function treeOf(ctx: ServiceContext, task: Task, order: Order, measure: boolean) {
  const tree = await askEngine(ctx, order.workspace_id, (engine) => engine.manifest(order.workspace_id));
  if (!tree.ok) return { workspace: { missing: missingBy(tree) }, matched: [], fit: { files: 0, bytes: 0 } };
  const paths = tree.manifest.files.map(({ path }) => path);
  const matches = task.allowed.map(({ files }) => picomatch(files, { dot: true }));
  const matched = paths.filter((path) => matches.some((match) => match(path)));
  const workspace = { files: paths.length };
  return { workspace, matched, fit: measure ? await fitOf(ctx, order.workspace_id, matched) : { files: 0, bytes: 0 } };
}

const missingBy = ({ error }: Failed): string =>
  error.code === "WORKSPACE_NOT_FOUND" ? "the task's is not open" : `the task's does not answer (${error.code})`;

async function fitOf(ctx: ServiceContext, workspaceId: string, files: readonly string[]): Promise<TaskFacts["fit"]> {
  if (files.length > MODEL_FILES)
    return { tooMuch: `the task may edit ${files.length} of them, more than ${MODEL_FILES}` };
  let bytes = 0;
  for (const file of files) {
    const read = await askEngine(ctx, workspaceId, (engine) => engine.readFile(workspaceId, file));
    if (!read.ok) return { tooMuch: `${file} cannot be shown (${read.error.code})` };
    bytes += new TextEncoder().encode(read.file.content).length;
    if (bytes > MODEL_BYTES) return { tooMuch: `those it may edit are over ${MODEL_BYTES} bytes` };
  }
  return { files: files.length, bytes };
}

/** The branch to work on: the order's own where GitHub has it, else the project's. */
async function githubOf(
  ctx: ServiceContext,
  order: Order,
  project: Project | null,
  getBranch: GetBranch | null,
): Promise<{ repository: string | null; branch: string | null; missing: string | null }> {
  const named = githubRepositoryOf(project?.repository ?? "");
  if (project === null || named === null) {
    const missing = project?.repository
      ? `${project.repository} is none of GitHub's`
      : "this task's project names no repository";
    return { repository: null, branch: null, missing };
  }
  const repository = `${named.owner}/${named.name}`;
  for (const branch of [orderBranchOf(order.id) ?? [], project.branch].flat()) {
    const asked = await branchExists(ctx, repository, branch, getBranch);
    if (!asked.ok) return { repository, branch, missing: `GitHub was not asked for it: ${asked.error.message}` };
    if (asked.exists) return { repository, branch, missing: null };
  }
  return { repository, branch: project.branch, missing: `${repository} has no branch ${project.branch} there` };
}
