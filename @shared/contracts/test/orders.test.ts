import { describe, expect, it } from "vitest";
import {
  canMove,
  CreateOrderSchema,
  CreateProjectSchema,
  CreateTaskSchema,
  FulfilPhaseSchema,
  ORDER_TRANSITIONS,
  OrderStatusSchema,
  PatchEvents,
  TASK_STATUS_OF_EVENT,
  TASK_TRANSITIONS,
  TaskStatusSchema,
} from "../index.ts";
import { bool, checkShape, list, nullable, object, oneOf, optional, str, withDefault } from "./shape.ts";

describe("CreateProjectSchema", () => {
  checkShape(CreateProjectSchema, {
    id: optional(str),
    name: str,
    repository: nullable(withDefault(str, null)),
    branch: withDefault(str, "main"),
  });
});

describe("CreateTaskSchema", () => {
  checkShape(CreateTaskSchema, {
    id: optional(str),
    orderId: str,
    title: str,
    type: oneOf("generate", "fix", "refactor", "optimize"),
    allowed: withDefault(list(object({ files: str, ops: optional(list(str)) })), [{ files: "**" }]),
  });
});

describe("CreateOrderSchema", () => {
  checkShape(CreateOrderSchema, {
    id: optional(str),
    projectId: nullable(withDefault(str, null)),
    title: str,
    description: withDefault(str, ""),
    factory: oneOf("agent-factory", "data-factory", "services-factory", "ui-factory"),
    workspaceId: optional(str),
    tasks: withDefault(list(object({ title: str, type: oneOf("generate", "fix", "refactor", "optimize") })), []),
  });
});

describe("FulfilPhaseSchema", () => {
  checkShape(FulfilPhaseSchema, {
    orderId: str,
    phase: str,
    batchId: optional(str),
    taskId: optional(str),
    implementation: optional(
      object({
        files: list(object({ filePath: str, fileContents: str, filePurpose: str })),
        deploymentNeeded: bool,
        commands: list(str),
      }),
    ),
    lastPhase: withDefault(bool, false),
  });
});

describe("the state machines", () => {
  it("name every status, and move only to statuses there are", () => {
    expect(Object.keys(ORDER_TRANSITIONS).toSorted()).toEqual([...OrderStatusSchema.options].toSorted());
    expect(Object.keys(TASK_TRANSITIONS).toSorted()).toEqual([...TaskStatusSchema.options].toSorted());
    for (const next of Object.values(ORDER_TRANSITIONS).flat()) expect(OrderStatusSchema.options).toContain(next);
    for (const next of Object.values(TASK_TRANSITIONS).flat()) expect(TaskStatusSchema.options).toContain(next);
  });

  it("end at cancelled, and let nothing be delivered that was not worked on", () => {
    expect(ORDER_TRANSITIONS.cancelled).toEqual([]);
    expect(TASK_TRANSITIONS.cancelled).toEqual([]);
    expect(canMove(ORDER_TRANSITIONS, "received", "delivered")).toBe(false);
    expect(canMove(ORDER_TRANSITIONS, "in_progress", "delivered")).toBe(true);
    expect(canMove(TASK_TRANSITIONS, "pending", "validated")).toBe(false);
  });

  it("let a patch's life move its task: requested, applied, validated, reverted, and again", () => {
    const life = [
      PatchEvents.PATCH_REQUESTED,
      PatchEvents.PATCH_FAILED,
      PatchEvents.PATCH_REQUESTED,
      PatchEvents.PATCH_APPLIED,
      PatchEvents.PATCH_VALIDATED,
      PatchEvents.PATCH_REVERTED,
      PatchEvents.PATCH_REQUESTED,
    ];
    let status: keyof typeof TASK_TRANSITIONS = "pending";
    for (const event of life) {
      const next = TASK_STATUS_OF_EVENT[event];
      expect(canMove(TASK_TRANSITIONS, status, next), `${status} → ${next}`).toBe(true);
      status = next;
    }
  });
});
