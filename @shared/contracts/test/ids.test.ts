import { describe, expect, it } from "vitest";
import {
  BatchIdSchema,
  OrderIdSchema,
  PatchIdSchema,
  ProjectIdSchema,
  Sha256Schema,
  TaskIdSchema,
  WorkspaceIdSchema,
  workspaceIdOf,
  workspaceObjectName,
} from "../index.ts";

const hostile = ["", "..", ".hidden", "a/b", "a\\b", "a b", "a\0b", "a\nb", "é", "%2e%2e", "-x", "_x", "a:b", 1, null];

describe("plain ids", () => {
  const limits = [
    [OrderIdSchema, 100],
    [ProjectIdSchema, 100],
    [TaskIdSchema, 100],
    [BatchIdSchema, 100],
    [PatchIdSchema, 128],
  ] as const;

  it("are usable as file name, URL segment and object name", () => {
    for (const [schema, max] of limits) {
      for (const good of ["ORD-12345", "a", "0", "a.b_c-d", "x".repeat(max)])
        expect(schema.safeParse(good).success, good).toBe(true);
      for (const bad of [...hostile, "x".repeat(max + 1)])
        expect(schema.safeParse(bad).success, String(bad)).toBe(false);
    }
  });
});

describe("a workspace id", () => {
  it("is plain, or an order's, or a project's branch", () => {
    for (const good of ["default", "order:ORD-1", "branch:p:main", "branch:p:feat%2Fx"])
      expect(WorkspaceIdSchema.safeParse(good).success, good).toBe(true);
    for (const bad of [...hostile, "order:", "order:a:b", "branch:p", "branch:p:a/b", "ws:default", "order:../x"])
      expect(WorkspaceIdSchema.safeParse(bad).success, String(bad)).toBe(false);
  });

  it("is the one named, else the order's, else the branch's, else the default", () => {
    const all = { workspaceId: "w", orderId: "ORD-1", projectId: "p", branch: "feat/x" };
    expect(workspaceIdOf(all)).toBe("w");
    expect(workspaceIdOf({ ...all, workspaceId: undefined })).toBe("order:ORD-1");
    expect(workspaceIdOf({ projectId: "p", branch: "feat/x" })).toBe("branch:p:feat%2Fx");
    expect(workspaceIdOf({ projectId: "p", branch: "" })).toBe("default");
    expect(workspaceIdOf({})).toBe("default");
  });

  it("is refused for a branch without a project, and for what makes no valid id", () => {
    expect(workspaceIdOf({ branch: "main" })).toBeNull();
    expect(workspaceIdOf({ orderId: "../../x" })).toBeNull();
    expect(workspaceIdOf({ workspaceId: "a/b" })).toBeNull();
  });

  it("names distinct objects for distinct workspaces", () => {
    const ids = ["default", "order", "order:a", "branch:p:a", "branch:p:b"].map((id) => WorkspaceIdSchema.parse(id));
    expect(new Set(ids.map(workspaceObjectName)).size).toBe(ids.length);
    expect(workspaceObjectName(WorkspaceIdSchema.parse("default"))).toBe("ws:default");
    expect(workspaceObjectName(WorkspaceIdSchema.parse("order:a"))).toBe("order:a");
  });
});

describe("a hash", () => {
  it("is 64 lower-case hexadecimal digits", () => {
    expect(Sha256Schema.safeParse("0".repeat(64)).success).toBe(true);
    for (const bad of ["", "0".repeat(63), "0".repeat(65), "F".repeat(64), "g".repeat(64)])
      expect(Sha256Schema.safeParse(bad).success).toBe(false);
  });
});
