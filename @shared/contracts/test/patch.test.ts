import { describe, expect, it } from "vitest";
import {
  eventTypeOf,
  PATCH_OPS,
  PatchBatchSchema,
  PatchEventSchema,
  PatchOperationSchema,
  type PatchOp,
} from "../index.ts";
import {
  bool,
  checkShape,
  int,
  list,
  nullable,
  object,
  oneOf,
  optional,
  type Shape,
  str,
  withDefault,
} from "./shape.ts";

const sha = "a".repeat(64);
const common: Shape = {
  file: str,
  taskId: optional(str),
  id: optional(str),
  metadata: optional(object({ provider: str, model: optional(str), confidence: optional({ kind: "number" }) })),
};
const block: Shape = { block: optional(str), blockFile: optional(str) };
const openSpace: Shape = { openSpace: withDefault(bool, false) };

const operations: Record<PatchOp, [Shape, Record<string, unknown>?]> = {
  "replace-block": [{ ...common, start: int, end: int, ...block, ...openSpace }, { expect: { sha256: sha, text: "" } }],
  "insert-before": [{ ...common, line: int, ...block, ...openSpace }],
  "insert-after": [{ ...common, line: int, ...block, ...openSpace }],
  append: [{ ...common, ...block }],
  prepend: [{ ...common, ...block }],
  "apply-diff": [{ ...common, file: withDefault(str, ""), diff: str }],
  "search-replace": [{ ...common, search: str, replace: str, expectedCount: withDefault(int, 1) }],
  "create-file": [{ ...common, ...block }],
  "delete-file": [common],
  "rename-file": [{ ...common, to: str }],
  "replace-marker": [
    { ...common, marker: str, ...block, keepMarkers: withDefault(bool, false), ...openSpace },
    { marker: "ROUTES" },
  ],
};

for (const op of PATCH_OPS)
  describe(`the operation ${op}`, () => {
    const [shape, fixed] = operations[op];
    checkShape(PatchOperationSchema, shape, { op, ...fixed });
  });

describe("an operation", () => {
  it("of an unknown kind is refused at op", () => {
    expect(PatchOperationSchema.safeParse({ op: "rewrite-file", file: "a" }).error?.issues[0]?.path).toEqual(["op"]);
  });

  it("that replaces lines must not end before it starts, and may replace one line", () => {
    const patch = { op: "replace-block", file: "a", start: 5, block: "" };
    expect(PatchOperationSchema.safeParse({ ...patch, end: 4 }).error?.issues[0]?.path).toEqual(["end"]);
    expect(PatchOperationSchema.safeParse({ ...patch, end: 5 }).success).toBe(true);
  });

  it("takes a hash only as 64 lower-case hexadecimal digits", () => {
    for (const sha256 of [sha.slice(1), `${sha}a`, "A".repeat(64), "g".repeat(64)])
      expect(
        PatchOperationSchema.safeParse({ op: "delete-file", file: "a", expect: { sha256 } }).error?.issues[0]?.path,
      ).toEqual(["expect", "sha256"]);
  });

  it("keeps confidence between 0 and 1", () => {
    const patch = (confidence: number) => ({ op: "delete-file", file: "a", metadata: { provider: "p", confidence } });
    for (const good of [0, 1]) expect(PatchOperationSchema.safeParse(patch(good)).success).toBe(true);
    for (const bad of [-0.01, 1.01])
      expect(PatchOperationSchema.safeParse(patch(bad)).error?.issues[0]?.path).toEqual(["metadata", "confidence"]);
  });
});

describe("PatchBatchSchema", () => {
  checkShape(
    PatchBatchSchema,
    {
      orderId: optional(str),
      requester: withDefault(str, "agent"),
      reason: withDefault(str, ""),
      branch: withDefault(str, ""),
      patches: list(object({ op: oneOf("delete-file"), file: str }), 1),
      batchId: optional(str),
      workspaceId: optional(str),
      projectId: optional(str),
      phase: optional(str),
      coordinates: withDefault(oneOf("original", "sequential"), "original"),
      dryRun: withDefault(bool, false),
      check: withDefault(oneOf("none", "syntax", "types"), "syntax"),
      onTypeErrors: withDefault(oneOf("fail", "report"), "fail"),
      maxChangedPercent: optional({ kind: "number" }),
    },
    {},
  );

  it("takes the document's shape of what a factory sends", () => {
    const sent = {
      requester: "factory-agent",
      reason: "phase-implementation",
      branch: "",
      patches: [
        { op: "prepend", file: "src/new.ts", block: "export {};\n" },
        { op: "replace-block", file: "src/a.ts", start: 80, end: 140, block: "x", openSpace: true },
        { op: "insert-before", file: "src/a.ts", line: 7, block: "y", openSpace: true },
        { op: "append", file: "src/a.ts", block: "z" },
      ],
    };
    expect(PatchBatchSchema.parse(sent)).toMatchObject({ ...sent, coordinates: "original", check: "syntax" });
  });

  it("takes gates only by their names and levels", () => {
    const batch = (gates: unknown) => ({ patches: [{ op: "delete-file", file: "a" }], gates });
    expect(PatchBatchSchema.safeParse(batch({ omission: "warn", secrets: "fail" })).success).toBe(true);
    expect(PatchBatchSchema.safeParse(batch({ omission: "loud" })).error?.issues[0]?.path).toEqual([
      "gates",
      "omission",
    ]);
    expect(PatchBatchSchema.safeParse(batch({ taskScope: "off" })).success).toBe(false);
  });

  it("keeps maxChangedPercent between 0 and 100", () => {
    const batch = (maxChangedPercent: number) => ({ patches: [{ op: "delete-file", file: "a" }], maxChangedPercent });
    for (const good of [0, 100]) expect(PatchBatchSchema.safeParse(batch(good)).success).toBe(true);
    for (const bad of [-1, 100.1])
      expect(PatchBatchSchema.safeParse(batch(bad)).error?.issues[0]?.path).toEqual(["maxChangedPercent"]);
  });

  it("names the path of a fault deep in a patch", () => {
    const result = PatchBatchSchema.safeParse({
      patches: [
        { op: "append", file: "a" },
        { op: "insert-before", file: "a", line: 0 },
      ],
    });
    expect(result.error?.issues[0]?.path).toEqual(["patches", 1, "line"]);
  });
});

describe("PatchEventSchema", () => {
  checkShape(PatchEventSchema, {
    patch_id: str,
    file: str,
    op: str,
    task_id: optional(nullable(str)),
    ts_check_ok: optional(nullable(bool)),
    diff_path: optional(str),
    meta: { kind: "json" },
    ts: optional(str),
    event_type: optional(
      oneOf("patch_requested", "patch_applied", "patch_validated", "patch_failed", "patch_reverted"),
    ),
  });

  it("without a type is a failure if it carries an error, and applied otherwise", () => {
    expect(eventTypeOf({ meta: { error: { code: "STALE_CONTENT" } } })).toBe("patch_failed");
    expect(eventTypeOf({ meta: { error: null } })).toBe("patch_applied");
    expect(eventTypeOf({ meta: ["error"] })).toBe("patch_applied");
    expect(eventTypeOf({})).toBe("patch_applied");
    expect(eventTypeOf({ event_type: "patch_reverted", meta: { error: "late" } })).toBe("patch_reverted");
  });
});
