import { randomUUID } from "node:crypto";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient, type Client } from "@shared/client";
import { DeploymentSchema, type VibeError } from "@shared/contracts";
import { z } from "zod";
import { listDatabases, migrationFiles } from "../migrations.ts";
import { listWorkers, ROOT } from "../repository.ts";

interface ValidateOptions {
  url: string;
  /** An administrator's token. */
  token: string;
  say: (line: string) => void;
  fetch?: typeof fetch;
  /** The checkout that the deployment is held against. */
  root?: string;
  /** How long what is delivered late may take to be seen, in milliseconds. */
  patienceMs?: number;
}

/** What was found wrong, each in one line; none: it holds. */
type Check = (parts: ValidateOptions & { client: Client; call: typeof fetch }) => Promise<string[]>;

/**
 * Holds a running deployment against this checkout: that it answers, keeps strangers out, has every variable, secret,
 * binding and migration that the code asks for, that each Worker passes its health check, and carries a patch through the
 * whole loop and takes it back. What it leaves behind is a check and a file that was created and reverted, in the workspace
 * `canary`. True where everything holds.
 */
export async function validate(options: ValidateOptions): Promise<boolean> {
  const call: typeof fetch = (input, init) =>
    (options.fetch ?? fetch)(input, { ...init, signal: init?.signal ?? AbortSignal.timeout(60_000) });
  const client = createClient({ url: options.url, token: options.token, fetch: call });
  let holds = true;
  for (const [name, check] of CHECKS) {
    let problems: string[];
    try {
      problems = await check({ ...options, client, call });
    } catch (error) {
      problems = [error instanceof Error ? error.message : String(error)];
    }
    options.say(`${problems.length === 0 ? "ok  " : "FAIL"} ${name}`);
    for (const problem of problems) options.say(`       ${problem}`);
    if (problems.length > 0) holds = false;
  }
  options.say(
    holds
      ? `\n${options.url} holds.`
      : `\n${options.url} does not hold; docs/deployment/troubleshooting.md says what each means.`,
  );
  return holds;
}

const HealthSchema = z.looseObject({
  status: z.string(),
  components: z.record(z.string(), z.looseObject({ ok: z.boolean() })),
});

const health: Check = async ({ client }) => {
  const answer = await client.health();
  if (!answer.ok) return [said(answer.error)];
  const { components } = HealthSchema.parse(answer);
  return Object.entries(components).flatMap(([name, { ok }]) => (ok ? [] : [`${name} does not answer`]));
};

const doors: Check = async ({ url, call }) => {
  const problems: string[] = [];
  const stranger = await call(new URL("/api/orders", url));
  if (stranger.status !== 401) problems.push(`a caller without a token is answered ${stranger.status} instead of 401`);
  const page = await call(url);
  if (!page.ok || !(await page.text()).includes("<div id="))
    problems.push("Mission Control is not served: build it with npm run setup");
  else if (page.headers.get("content-security-policy") === null)
    problems.push("Mission Control is served without its policy");
  const token = await call(new URL("/api/auth/session", url), { headers: { authorization: "Bearer not-a-token" } });
  if (token.status !== 401) problems.push(`a wrong token is answered ${token.status} instead of 401`);
  return problems;
};

const ConfigSchema = z.looseObject({
  vars: z.record(z.string(), z.unknown()).default({}),
  durable_objects: z.looseObject({ bindings: z.array(z.looseObject({ name: z.string() })) }),
  queues: z.looseObject({ producers: z.array(z.looseObject({ binding: z.string() })) }),
  r2_buckets: z.array(z.looseObject({ binding: z.string() })).default([]),
  workflows: z.array(z.looseObject({ binding: z.string() })).default([]),
  assets: z.looseObject({ binding: z.string() }),
});

const environment: Check = async ({ url, token, call, root }) => {
  const deployment = await inspect({ url, token, call });
  const [orchestrator] = listWorkers(root);
  if (!orchestrator) return ["this checkout has no orchestrator"];
  const { config } = orchestrator;
  const { vars, durable_objects: objects, queues, r2_buckets: buckets, workflows, assets } = ConfigSchema.parse(config);
  const wanted = [
    ...(config.d1_databases ?? []).map(({ binding }) => binding),
    ...(config.services ?? []).map(({ binding }) => binding),
    ...objects.bindings.map(({ name }) => name),
    ...queues.producers.map(({ binding }) => binding),
    ...buckets.map(({ binding }) => binding),
    ...workflows.map(({ binding }) => binding),
    assets.binding,
  ];
  const bindings = new Set(deployment.bindings);
  const texts = new Set(deployment.texts);
  return [
    ...wanted.filter((name) => !bindings.has(name)).map((name) => `the binding ${name} is missing`),
    ...(config.secrets?.required ?? [])
      .filter((name) => !texts.has(name))
      .map((name) => `the secret ${name} is not set`),
    // One that is empty here may be empty there.
    ...Object.entries(vars)
      .filter(([name, value]) => value !== "" && !texts.has(name))
      .map(([name]) => `the variable ${name} is not set`),
  ];
};

const migrations: Check = async ({ url, token, call, root }) => {
  const deployment = await inspect({ url, token, call });
  return listDatabases(root ?? ROOT).flatMap(({ binding, migrations: directory }) => {
    const applied = deployment.migrations[binding];
    if (applied === undefined) return [`${binding}: its migrations cannot be read`];
    const files = migrationFiles(directory);
    const missing = files.filter((name) => !applied.includes(name));
    const unknown = applied.filter((name) => !files.includes(name));
    return [
      ...missing.map((name) => `${binding} lacks ${name}: run npm run db:migrate:remote`),
      ...unknown.map(
        (name) =>
          `${binding} has ${name}, which this checkout does not know: ${path.basename(directory)} is newer there`,
      ),
    ];
  });
};

/** How long a check of all Workers may take: its attempts, and waits between them. */
const WORKERS_MS = 180_000;

/** Has each Worker checked over its real bindings, and says of each what it is that it cannot do. */
const workers: Check = async ({ client }) => {
  const begun = await client.healthChecks.start({});
  if (!begun.ok) return [`beginning a health check: ${said(begun.error)}`];
  const deadline = Date.now() + WORKERS_MS;
  for (;;) {
    const answer = await client.healthChecks.get(begun.check.uuid);
    if (!answer.ok) return [`reading the health check: ${said(answer.error)}`];
    const { finished_at: finishedAt, worker_checks: checks } = answer.check;
    if (finishedAt !== null) {
      return checks.flatMap(({ worker_name: name, status, code, message }) =>
        status === "passed" ? [] : [`${name}: ${code ?? status}${message === null ? "" : `: ${message}`}`],
      );
    }
    if (Date.now() > deadline) return [`the health check has not ended after ${WORKERS_MS / 1000} s`];
    await sleep(250);
  }
};

const canary: Check = async ({ client, patienceMs = 30_000 }) => {
  const workspaceId = "canary";
  const opened = await client.workspaces.open({ workspaceId, source: { kind: "template", template: "agent-factory" } });
  if (!opened.ok) return [`opening its workspace: ${said(opened.error)}`];
  const batchId = `canary-${randomUUID()}`;
  const file = `canary/${batchId}.txt`;
  const patches = [{ op: "create-file" as const, file, block: "It sings.\n" }];
  const applied = await client.patches.apply({
    workspaceId,
    batchId,
    requester: "canary",
    reason: "a canary",
    patches,
  });
  if (!applied.ok) return [`applying the patch: ${said(applied.error)}`];
  if (applied.outcome.status !== "applied") return [`applying the patch: it is ${applied.outcome.status}`];

  const problems: string[] = [];
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const logged = await client.patches.logs({ file, limit: 10 });
    if (logged.ok && logged.results.some(({ event_type }) => event_type === "patch_applied")) break;
    if (Date.now() > deadline) {
      problems.push(`its events are not in the log after ${patienceMs / 1000} s`);
      break;
    }
    await sleep(250);
  }
  const reverted = await client.patches.revert({
    workspaceId,
    target: { by: "batch", id: batchId },
    requester: "canary",
    reason: "a canary",
  });
  if (!reverted.ok) problems.push(`taking it back: ${said(reverted.error)}`);
  const chain = await client.patches.verify(workspaceId);
  if (!chain.ok) problems.push(`its custody chain: ${said(chain.error)}`);
  return problems;
};

const CHECKS: readonly (readonly [string, Check])[] = [
  ["health: every part answers", health],
  ["doors: strangers are kept out, Mission Control is served", doors],
  ["environment: variables, secrets and bindings", environment],
  ["migrations: every database is as this checkout has it", migrations],
  ["workers: each is what it should be and can do what it is for", workers],
  ["canary: a patch applied, seen in the log, taken back, its chain verified", canary],
];

async function inspect({ url, token, call }: { url: string; token: string; call: typeof fetch }) {
  const response = await call(new URL("/api/deployment", url), { headers: { authorization: `Bearer ${token}` } });
  if (!response.ok)
    throw new Error(`GET /api/deployment is answered ${response.status}; the token must be an administrator's`);
  return DeploymentSchema.parse(await response.json());
}

const said = ({ code, message }: VibeError): string => `${code}: ${message}`;
