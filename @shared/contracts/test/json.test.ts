import { describe, expect, it } from "vitest";
import { findIllFormedString, JsonObjectSchema, JsonSchema } from "../index.ts";

const nested = (depth: number): unknown => {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = [value];
  return value;
};

describe("JsonSchema", () => {
  it("takes every JSON value and nothing that JSON would change or drop", () => {
    for (const good of [null, true, 0, "", [], {}, { a: [1, { b: null }] }])
      expect(JsonSchema.safeParse(good).success).toBe(true);
    for (const bad of [
      Number.NaN,
      1n,
      () => 1,
      Symbol("s"),
      new Date(),
      new Map(),
      [new Set()],
      { a: new Uint8Array(1) },
    ])
      expect(JsonSchema.safeParse(bad).success).toBe(false);
  });

  it("refuses a depth beyond 64 without exhausting the stack", () => {
    expect(JsonSchema.safeParse(nested(64)).success).toBe(true);
    expect(JsonSchema.safeParse(nested(65)).success).toBe(false);
    expect(JsonSchema.safeParse(nested(200_000)).success).toBe(false);
  });

  it("has an object form that takes no list and no null", () => {
    expect(JsonObjectSchema.safeParse({ a: 1 }).success).toBe(true);
    for (const bad of [null, [], "s", 1]) expect(JsonObjectSchema.safeParse(bad).success).toBe(false);
  });
});

describe("findIllFormedString", () => {
  it("finds a lone surrogate in values and keys, and takes paired ones", () => {
    expect(findIllFormedString({ a: ["ok", { b: "\uD83D\uDE00" }] })).toBeNull();
    expect(findIllFormedString({ a: ["ok", { b: "x\uD83D" }] })).toEqual(["a", 1, "b"]);
    expect(findIllFormedString({ a: { "\uDE00": 1 } })).toEqual(["a"]);
    expect(findIllFormedString("\uDC00")).toEqual([]);
  });
});
