import { describe, expect, it } from "vitest";
import {
  BatchOutcomeSchema,
  CustodyRecordSchema,
  EngineAnswerSchema,
  GENESIS_HEAD,
  LogEntrySchema,
  OpenWorkspaceRequestSchema,
  PolicyFileSchema,
  RoomSchema,
  SCOPES,
  ScopeSchema,
  SocketRequestSchema,
  TasksFileSchema,
  WorkspaceSourceSchema,
  type LogEntry,
} from "../index.ts";
import { bool, checkShape, int, list, nullable, object, oneOf, optional, type Shape, str } from "./shape.ts";

const hash = "0123456789abcdef".repeat(4);

const entry: LogEntry = {
  v: 1,
  seq: 1,
  prevHash: GENESIS_HEAD.hash,
  kind: "batch",
  batchId: "b",
  payloadHash: hash,
  ts: "2026-01-01T00:00:00.000Z",
  door: "host",
  actor: null,
  requester: "agent",
  reason: "",
  orderId: null,
  projectId: null,
  phase: null,
  patches: [],
  files: [
    {
      path: "a",
      from: null,
      kind: "create",
      mode: "100644",
      beforeSha256: null,
      afterSha256: hash,
      linesAdded: 1,
      linesRemoved: 0,
      splices: [{ patchId: "p", start: 0, end: 0, old: "", new: "x\n" }],
      diff: "",
    },
  ],
  checks: [],
  reverts: null,
  treeBefore: hash,
  treeAfter: hash,
  durationMs: 0,
  hash,
};

describe("a log entry", () => {
  it("parses, and every wrong or absent field is refused at its path", () => {
    expect(LogEntrySchema.parse(entry)).toEqual(entry);
    for (const key of Object.keys(entry)) {
      const { [key as keyof LogEntry]: _, ...without } = entry;
      expect(LogEntrySchema.safeParse(without).error?.issues[0]?.path, `without ${key}`).toEqual([key]);
      expect(LogEntrySchema.safeParse({ ...entry, [key]: new Date() }).error?.issues[0]?.path[0], key).toBe(key);
    }
    expect(LogEntrySchema.safeParse({ ...entry, seq: 0 }).success).toBe(false);
    expect(LogEntrySchema.safeParse({ ...entry, v: 2 }).success).toBe(false);
  });
});

describe("BatchOutcomeSchema", () => {
  const shape: Shape = {
    ok: bool,
    status: oneOf("applied", "failed", "pending", "dry-run"),
    batchId: str,
    workspaceId: str,
    patches: list(
      object({
        patch_id: str,
        file: str,
        op: str,
        task_id: nullable(str),
        status: oneOf("applied", "failed", "pending", "dry-run"),
        landed: nullable(object({ start: int })),
        diff_path: nullable(str),
        moved: { kind: "positive-int" },
      }),
    ),
    durationMs: { kind: "number" },
  };
  const fixed = { head: GENESIS_HEAD, files: [], checks: [], treeHash: null };

  it("takes an applied batch with all its parts", () => {
    const patch = {
      patch_id: "p",
      file: "a",
      op: "append",
      task_id: null,
      status: "applied",
      moved: -3,
      diff_path: null,
    };
    const outcome = {
      ok: true,
      status: "applied",
      batchId: "b",
      workspaceId: "w",
      ...fixed,
      treeHash: hash,
      patches: [{ ...patch, landed: { start: 1, end: 0 } }],
      durationMs: 0.5,
    };
    expect(BatchOutcomeSchema.parse(outcome)).toEqual(outcome);
    for (const key of Object.keys(shape)) {
      const { [key as keyof typeof outcome]: _, ...without } = outcome;
      expect(BatchOutcomeSchema.safeParse(without).error?.issues[0]?.path).toEqual([key]);
    }
    for (const landed of [
      { start: 0, end: 0 },
      { start: 1, end: -1 },
      { start: 1.5, end: 2 },
    ])
      expect(BatchOutcomeSchema.safeParse({ ...outcome, patches: [{ ...patch, landed }] }).success).toBe(false);
  });

  it("is part of an engine's answer, which always says where the log stands", () => {
    const answer = { ok: false, outcome: null, head: GENESIS_HEAD, entries: [entry] };
    expect(EngineAnswerSchema.parse(answer)).toEqual(answer);
    for (const key of ["ok", "outcome", "head", "entries"]) {
      const { [key as keyof typeof answer]: _, ...without } = answer;
      expect(EngineAnswerSchema.safeParse(without).error?.issues[0]?.path).toEqual([key]);
    }
  });
});

describe("a workspace's source", () => {
  it("is a template, a git repository, a path or an archive", () => {
    for (const good of [
      { kind: "template", template: "agent-factory" },
      { kind: "git", repository: "/repositories/a", ref: "main" },
      { kind: "path", path: "/sources/a" },
      { kind: "archive", path: "/sources/a.tgz", sha256: hash },
      { kind: "archive", base64: "AAAA" },
    ])
      expect(WorkspaceSourceSchema.safeParse(good).error?.issues).toBeUndefined();
    for (const bad of [
      { kind: "template", template: "../x" },
      { kind: "git" },
      { kind: "path", path: "" },
      { kind: "archive" },
      { kind: "archive", path: "a", base64: "AAAA" },
      { kind: "archive", base64: "not base64!" },
      { kind: "url", url: "x" },
      "template",
    ])
      expect(WorkspaceSourceSchema.safeParse(bad).success, JSON.stringify(bad)).toBe(false);
  });

  it("opens only under a valid workspace id", () => {
    const source = { kind: "template", template: "t" };
    expect(OpenWorkspaceRequestSchema.safeParse({ workspaceId: "order:O-1", source }).success).toBe(true);
    expect(OpenWorkspaceRequestSchema.safeParse({ workspaceId: "../o", source }).error?.issues[0]?.path).toEqual([
      "workspaceId",
    ]);
  });
});

describe("TasksFileSchema", () => {
  checkShape(
    TasksFileSchema,
    {
      orderId: nullable(str),
      tasks: list(
        object({
          id: str,
          type: oneOf("generate", "fix", "refactor", "optimize"),
          status: str,
          allowed: list(object({ files: str, ops: optional(list(str)) })),
          maxChangedLines: optional(int),
        }),
      ),
    },
    { version: 1 },
  );

  it("takes spans of lines that do not end before they start", () => {
    const file = (start: number, end: number) => ({
      version: 1,
      orderId: null,
      tasks: [{ id: "t", type: "fix", status: "pending", allowed: [{ files: "**", spans: [{ start, end }] }] }],
    });
    expect(TasksFileSchema.safeParse(file(3, 3)).success).toBe(true);
    expect(TasksFileSchema.safeParse(file(3, 2)).error?.issues[0]?.path).toEqual([
      "tasks",
      0,
      "allowed",
      0,
      "spans",
      0,
      "end",
    ]);
    expect(TasksFileSchema.safeParse(file(0, 2)).success).toBe(false);
  });
});

describe("PolicyFileSchema", () => {
  it("may be empty, names gates and levels, and runs a program with arguments", () => {
    expect(PolicyFileSchema.parse({})).toEqual({ gates: {} });
    expect(PolicyFileSchema.safeParse({ gates: { syntax: "off" }, check: ["node", "check.js"] }).success).toBe(true);
    for (const bad of [
      { check: "node check.js" },
      { check: [] },
      { gates: { syntax: "no" } },
      { maxChangedPercent: 101 },
    ])
      expect(PolicyFileSchema.safeParse(bad).success, JSON.stringify(bad)).toBe(false);
  });
});

describe("a custody record", () => {
  const record = {
    v: 1,
    workspace_id: "w",
    seq: 1,
    prev_hash: hash,
    kind: "patch",
    event_type: "patch_applied",
    ts: "2026-01-01T00:00:00.000Z",
    actor: "agent-factory",
    batch_id: "b",
    order_id: null,
    project_id: null,
    patch_id: "p",
    file: "a",
    op: "append",
    task_id: null,
    ts_check_ok: null,
    diff_path: null,
    log: { seq: 1, hash, treeAfter: hash },
    meta: { requester: "agent" },
    hash,
  };

  it("parses, and each absent or wrong field is refused at its path", () => {
    expect(CustodyRecordSchema.parse(record)).toEqual(record);
    expect(CustodyRecordSchema.safeParse({ ...record, kind: "phase", event_type: "phase_validated" }).success).toBe(
      true,
    );
    for (const key of Object.keys(record)) {
      const { [key as keyof typeof record]: _, ...without } = record;
      expect(CustodyRecordSchema.safeParse(without).error?.issues[0]?.path).toEqual([key]);
      expect(CustodyRecordSchema.safeParse({ ...record, [key]: new Date() }).error?.issues[0]?.path[0], key).toBe(key);
    }
  });
});

describe("the doors", () => {
  it("know rooms, scopes and socket requests by their form", () => {
    for (const good of ["all", "order:ORD-1", "project:p"]) expect(RoomSchema.safeParse(good).success).toBe(true);
    for (const bad of ["", "order:", "everything", "order:a/b", "all ", "project:../x"])
      expect(RoomSchema.safeParse(bad).success, bad).toBe(false);
    for (const scope of SCOPES) expect(ScopeSchema.safeParse(scope).success).toBe(true);
    expect(ScopeSchema.safeParse("patches:*").success).toBe(false);
  });

  checkShape(SocketRequestSchema, {
    type: str,
    requestId: optional(str),
    orderId: optional(str),
  });
});
