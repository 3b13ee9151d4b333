import { z } from "zod";

/** A JSON value. RPC signatures use it where `any` would make `Service<…>` types run forever. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/**
 * A value JSON can carry unchanged. Recursion is checked by walking, not by a recursive schema:
 * a hostile depth must be an answer, not a stack overflow.
 */
export const JsonSchema = z.custom<Json>((value) => isJson(value), {
  error: "expected a JSON value nested at most 64 deep",
});
export const JsonObjectSchema = z.custom<JsonObject>(
  (value) => typeof value === "object" && value !== null && !Array.isArray(value) && isJson(value),
  { error: "expected a JSON object nested at most 64 deep" },
);

const MAX_DEPTH = 64;

function isJson(root: unknown): boolean {
  const stack: { value: unknown; depth: number }[] = [{ value: root, depth: 0 }];
  for (let top = stack.pop(); top; top = stack.pop()) {
    const { value, depth } = top;
    if (value === null || typeof value === "string" || typeof value === "boolean") continue;
    if (typeof value === "number") {
      if (!Number.isFinite(value)) return false;
      continue;
    }
    if (typeof value !== "object" || depth === MAX_DEPTH) return false;
    if (!Array.isArray(value)) {
      const prototype: unknown = Object.getPrototypeOf(value);
      if (prototype !== Object.prototype && prototype !== null) return false;
    }
    for (const child of Object.values(value)) if (child !== undefined) stack.push({ value: child, depth: depth + 1 });
  }
  return true;
}

interface Visit {
  value: unknown;
  parent: Visit | null;
  key: string | number;
}

/** The path of the first string, key or value, with a lone surrogate; null when all are well-formed Unicode. */
export function findIllFormedString(root: unknown): (string | number)[] | null {
  // Paths are spelt out for what is found alone: a copy at each level would cost the square of a hostile depth.
  const stack: Visit[] = [{ value: root, parent: null, key: "" }];
  for (let top = stack.pop(); top; top = stack.pop()) {
    const { value } = top;
    if (typeof value === "string") {
      if (!value.isWellFormed()) return pathOf(top);
    } else if (Array.isArray(value)) {
      for (let i = value.length - 1; i >= 0; i--) stack.push({ value: value[i], parent: top, key: i });
    } else if (typeof value === "object" && value !== null) {
      for (const [key, child] of Object.entries(value)) {
        if (!key.isWellFormed()) return pathOf(top);
        stack.push({ value: child, parent: top, key });
      }
    }
  }
  return null;
}

function pathOf(visit: Visit): (string | number)[] {
  const path: (string | number)[] = [];
  for (let at = visit; at.parent; at = at.parent) path.push(at.key);
  return path.toReversed();
}
