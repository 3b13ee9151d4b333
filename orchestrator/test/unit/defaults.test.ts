import { ListOpsIssuesSchema } from "@shared/contracts";
import { expect, test } from "vitest";
import { factoryActor } from "../../worker/context.ts";

test("issues come a hundred at a time, and no more", () => {
  expect(ListOpsIssuesSchema.parse({}).limit).toBe(100);
  expect(ListOpsIssuesSchema.safeParse({ limit: "101" }).success).toBe(false);
});

test("a factory asks for scans and reads no issues: nothing that it can call gives any", () => {
  const { scopes } = factoryActor("ui-factory");
  expect(scopes.has("ops:write")).toBe(true);
  expect(scopes.has("ops:read")).toBe(false);
});
