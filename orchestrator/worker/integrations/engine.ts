import {
  type AgentRunEvent,
  AgentRunEventSchema,
  type AgentRunInfo,
  AgentRunInfoSchema,
  type AgentRunRequestInput,
  type EngineAnswer,
  EngineAnswerSchema,
  type EngineRevertRequest,
  CheckOutcomeSchema,
  type CheckOutcome,
  fail,
  type Failed,
  type FileMarkers,
  FileMarkersSchema,
  type Head,
  HeadSchema,
  LoggedPatchSchema,
  type LoggedPatch,
  type LogEntry,
  LogEntrySchema,
  ProblemSchema,
  type Result,
  Sha256Schema,
  type TasksFile,
  type WorkspaceFile,
  WorkspaceFileSchema,
  type WorkspaceInfo,
  WorkspaceInfoSchema,
  type WorkspaceSource,
} from "@shared/contracts";
import { z } from "zod";
import { readSnapshotHead, type TreeManifest, TreeManifestSchema } from "./snapshotHead.ts";

/** How long a call may take, in milliseconds, before its outcome counts as unknown. */
export interface EngineDeadlines {
  call: number;
  /** `open` fetches a repository, `validate` runs the workspace's own check command. */
  long: number;
}
export const DEFAULT_DEADLINES: EngineDeadlines = { call: 30_000, long: 180_000 };

export interface ApplyCall {
  /** The batch as its sender wrote it, as JSON text: hashing and the engine get the same. */
  batch: string;
  expectedHead?: Head;
  actor: string | null;
  simulate?: boolean;
}

/**
 * The engine host of a workspace, wherever it runs. No method throws. A call that broke off is ENGINE_UNAVAILABLE, one
 * past its deadline ENGINE_TIMEOUT; where it may have written, `nothingWritten` is null: in doubt, ask again.
 * A batch or revert the engine refused is still `ok: true` here: the refusal stands in its answer.
 */
export interface Engine {
  open(request: {
    workspaceId: string;
    source: WorkspaceSource;
    pin?: string;
  }): Promise<Result<{ workspace: WorkspaceInfo; created: boolean }>>;
  describe(workspaceId: string): Promise<Result<{ workspace: WorkspaceInfo }>>;
  apply(workspaceId: string, call: ApplyCall): Promise<Result<{ answer: EngineAnswer }>>;
  revert(workspaceId: string, request: EngineRevertRequest): Promise<Result<{ answer: EngineAnswer }>>;
  validate(workspaceId: string): Promise<Result<{ checks: CheckOutcome[] }>>;
  replay(
    workspaceId: string,
    entries: readonly LogEntry[],
    treeHash: string,
  ): Promise<Result<{ head: Head; treeHash: string }>>;
  markers(workspaceId: string, files?: readonly string[]): Promise<Result<{ files: FileMarkers[] }>>;
  writeTasks(workspaceId: string, tasks: TasksFile): Promise<Result<object>>;
  readFile(workspaceId: string, file: string): Promise<Result<{ file: WorkspaceFile }>>;
  /** Every file of the tree as the log says it is, with where the log stands. */
  manifest(workspaceId: string): Promise<Result<{ manifest: TreeManifest }>>;
  log(workspaceId: string, after: number, limit: number): Promise<Result<{ entries: LogEntry[]; head: Head }>>;
  patch(workspaceId: string, patchId: string): Promise<Result<{ patch: LoggedPatch; diff: string }>>;
  /** Starts a run of a CLI agent, or answers with the one of that `runId`. */
  startRun(workspaceId: string, run: AgentRunRequestInput): Promise<Result<{ run: AgentRunInfo }>>;
  /** RUN_NOT_FOUND where the host knows no such run, or has lost it. */
  run(workspaceId: string, runId: string): Promise<Result<{ run: AgentRunInfo }>>;
  /** What the run said after the event `after`. Waits at most `waitMs` for more while the run goes on. */
  runEvents(
    workspaceId: string,
    runId: string,
    after: number,
    waitMs: number,
  ): Promise<Result<{ events: AgentRunEvent[] }>>;
  /** Ends the run and answers with how it ended. */
  endRun(workspaceId: string, runId: string): Promise<Result<{ run: AgentRunInfo }>>;
}

const OpenedSchema = z.object({ workspace: WorkspaceInfoSchema, created: z.boolean() });
const DescribedSchema = z.object({ workspace: WorkspaceInfoSchema });
const CheckedSchema = z.object({ checks: z.array(CheckOutcomeSchema) });
const ReplayedSchema = z.object({ head: HeadSchema, treeHash: Sha256Schema });
const MarkersSchema = z.object({ files: z.array(FileMarkersSchema) });
const FileSchema = z.object({ file: WorkspaceFileSchema });
const LogPageSchema = z.object({ entries: z.array(LogEntrySchema), head: HeadSchema });
const ManifestSchema = z.object({ manifest: TreeManifestSchema });
const PatchSchema = z.object({ patch: LoggedPatchSchema, diff: z.string() });
const RunSchema = AgentRunInfoSchema.transform((run) => ({ run }));
const RunEventsSchema = z.object({ events: z.array(AgentRunEventSchema) });

interface Call {
  workspaceId: string;
  method: "GET" | "POST" | "PUT" | "DELETE";
  path: string;
  body?: string;
  /** Whether it may have written something when its answer is missing. */
  writes: boolean;
  deadline: number;
}

/** Sends a request for a path of the engine host that has this workspace. */
type Send = (workspaceId: string, path: string, init: RequestInit) => Promise<Response>;

/** Where containers are on, each workspace has its own; the binding is missing where they are off. */
type EngineEnv = Env & { FACTORY_CONTAINER?: DurableObjectNamespace };

/** The container of the workspace where containers are on, else the one host at ENGINE_URL. */
export function engineOf(env: EngineEnv, deadlines: EngineDeadlines = DEFAULT_DEADLINES): Engine {
  const { FACTORY_CONTAINER: containers, ENGINE_URL, ENGINE_TOKEN } = env;
  const send: Send = containers
    ? // The object knows the token of its container.
      (workspaceId, path, init) => containers.getByName(workspaceId).fetch(`http://engine${path}`, init)
    : (_, path, init) => {
        const headers = new Headers(init.headers);
        headers.set("authorization", `Bearer ${ENGINE_TOKEN}`);
        return fetch(`${ENGINE_URL}${path}`, { ...init, headers });
      };
  return createEngine(send, deadlines);
}

/** Whether batches find an engine. Containers start when they are called: that they can is all there is to know. */
export const engineAnswers = async (env: EngineEnv, signal: AbortSignal): Promise<boolean> =>
  env.FACTORY_CONTAINER !== undefined || (await fetch(new URL("/healthz", env.ENGINE_URL), { signal })).ok;

function createEngine(send: Send, { call: short, long }: EngineDeadlines): Engine {
  /** The status and body of an answer, or why there is none. */
  const exchange = async (
    call: Call,
    read: (response: Response) => Promise<unknown> = (response) => response.json(),
  ): Promise<Result<{ status: number; body: unknown }>> => {
    const doubt = { nothingWritten: call.writes ? null : true };
    const signal = AbortSignal.timeout(call.deadline);
    try {
      const response = await send(call.workspaceId, `/v1/workspaces${call.path}`, {
        method: call.method,
        ...(call.body === undefined ? {} : { headers: { "content-type": "application/json" }, body: call.body }),
        signal,
      });
      return { ok: true, status: response.status, body: await read(response) };
    } catch {
      // The cause may name hosts and ports; what a caller can act on is only that there is no answer.
      return signal.aborted
        ? fail("ENGINE_TIMEOUT", `the engine did not answer within ${call.deadline} ms`, doubt)
        : fail("ENGINE_UNAVAILABLE", "the connection to the engine broke", doubt);
    }
  };

  const request = async <T extends object>(
    schema: z.ZodType<T>,
    call: Call,
    read?: (response: Response) => Promise<unknown>,
  ): Promise<Result<T>> => {
    const answer = await exchange(call, read);
    if (!answer.ok) return answer;
    if (answer.status >= 400) return refusalOf(answer.status, answer.body, call);
    const parsed = schema.safeParse(answer.body);
    return parsed.success ? { ok: true, ...parsed.data } : refusalOf(answer.status, null, call);
  };

  /** A batch's or revert's answer keeps its form when it is a refusal. */
  const edit = async (call: Call): Promise<Result<{ answer: EngineAnswer }>> => {
    const exchanged = await exchange(call);
    if (!exchanged.ok) return exchanged;
    const answer = EngineAnswerSchema.safeParse(exchanged.body);
    return answer.success ? { ok: true, answer: answer.data } : refusalOf(exchanged.status, exchanged.body, call);
  };

  const read = (id: string, rest = ""): Call => ({
    workspaceId: id,
    method: "GET",
    path: at(id, rest),
    writes: false,
    deadline: short,
  });
  const post = (id: string, rest: string, body: unknown, options: { writes: boolean; deadline?: number }): Call => ({
    workspaceId: id,
    method: "POST",
    path: at(id, rest),
    body: JSON.stringify(body),
    writes: options.writes,
    deadline: options.deadline ?? short,
  });

  return {
    open: (body) =>
      request(OpenedSchema, { ...post(body.workspaceId, "", body, { writes: true, deadline: long }), path: "" }),
    describe: (id) => request(DescribedSchema, read(id)),
    apply: (id, { batch, simulate = false, ...rest }) =>
      edit({
        ...post(id, "/batches", null, { writes: !simulate }),
        // The batch goes in as the text it is: parsing megabytes to write them again would buy nothing.
        body: `{"batch":${batch},${JSON.stringify({ ...rest, simulate }).slice(1)}`,
      }),
    revert: (id, body) => edit(post(id, "/revert", body, { writes: true })),
    validate: (id) => request(CheckedSchema, post(id, "/validate", {}, { writes: false, deadline: long })),
    replay: (id, entries, treeHash) =>
      request(ReplayedSchema, post(id, "/replay", { entries, treeHash }, { writes: true, deadline: long })),
    markers: (id, files) => request(MarkersSchema, post(id, "/markers", { files }, { writes: false })),
    writeTasks: (id, tasks) => request(z.object({}), { ...post(id, "/tasks", tasks, { writes: true }), method: "PUT" }),
    readFile: async (id, file) =>
      wouldBeResolved(file)
        ? fail("PATH_INVALID", "a path has no empty, `.` or `..` segments and does not start with a slash", { file })
        : request(FileSchema, read(id, `/files/${encodePath(file)}`)),
    manifest: (id) =>
      request(ManifestSchema, post(id, "/snapshot", {}, { writes: false, deadline: long }), async (response) =>
        response.ok ? { manifest: await readSnapshotHead(response) } : response.json(),
      ),
    log: (id, after, limit) => request(LogPageSchema, read(id, `/log?after=${after}&limit=${limit}`)),
    patch: (id, patchId) => request(PatchSchema, read(id, `/patches/${encodeURIComponent(patchId)}`)),
    // A run copies the workspace's tree before it answers.
    startRun: (id, run) => request(RunSchema, post(id, "/agent-runs", run, { writes: true, deadline: long })),
    run: (id, runId) => request(RunSchema, read(id, runPath(runId))),
    runEvents: (id, runId, after, waitMs) =>
      request(
        RunEventsSchema,
        { ...read(id, `${runPath(runId)}/events?after=${after}&waitMs=${waitMs}`), deadline: waitMs + short },
        async (response) => (response.ok ? { events: linesOf(await response.text()) } : response.json()),
      ),
    endRun: (id, runId) => request(RunSchema, { ...read(id, runPath(runId)), method: "DELETE", writes: true }),
  };
}

/** Why an answer is none that can be used. */
function refusalOf(status: number, body: unknown, call: Call): Failed {
  // A refused token is this installation's fault, not the caller's: it must not read as the caller's own 401.
  if (status === 401 || status === 403) return fail("ENGINE_UNAVAILABLE", "the engine refused this orchestrator");
  const problem = ProblemSchema.safeParse(body);
  if (problem.success) return { ok: false, error: problem.data.error };
  return fail("INTERNAL", `the engine answered ${status} in an unknown form`, {
    retryable: true,
    nothingWritten: call.writes ? null : true,
  });
}

const runPath = (runId: string): string => `/agent-runs/${encodeURIComponent(runId)}`;

/** The values of an NDJSON text. A last line that was cut off is left to the next read. */
const linesOf = (text: string): unknown[] =>
  text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .flatMap((line): unknown[] => (line === "" ? [] : [JSON.parse(line)]));

const at = (workspaceId: string, rest: string): string => `/${encodeURIComponent(workspaceId)}${rest}`;

/** Each segment encoded, the slashes kept. */
const encodePath = (file: string): string => file.split("/").map(encodeURIComponent).join("/");

/** Whether URL parsing would take the path elsewhere. The engine refuses what is left. */
const wouldBeResolved = (file: string): boolean =>
  file.split("/").some((part) => part === "" || part === "." || part === "..");
