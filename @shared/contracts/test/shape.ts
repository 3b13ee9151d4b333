import { expect, it } from "vitest";
import type { z } from "zod";

/**
 * What a given document says of one field, written down by hand so that the schemas are checked against the document
 * and not against themselves.
 */
export type Field =
  | { kind: "string" | "boolean" | "number"; optional?: true; nullable?: true; default?: unknown }
  | { kind: "positive-int"; optional?: true; nullable?: true; default?: unknown }
  | { kind: "enum"; values: readonly string[]; optional?: true; nullable?: true; default?: unknown }
  | { kind: "array"; of: Field; min?: number; optional?: true; nullable?: true; default?: unknown }
  | { kind: "object"; fields: Shape; optional?: true; nullable?: true; default?: unknown }
  | { kind: "json"; optional?: true; nullable?: true; default?: unknown };
export type Shape = Record<string, Field>;

export const str = { kind: "string" } as const;
export const bool = { kind: "boolean" } as const;
export const int = { kind: "positive-int" } as const;
export const optional = <F extends Field>(field: F): F & { optional: true } => ({ ...field, optional: true });
export const nullable = <F extends Field>(field: F): F & { nullable: true } => ({ ...field, nullable: true });
export const withDefault = <F extends Field>(field: F, value: unknown): F & { optional: true; default: unknown } => ({
  ...field,
  optional: true,
  default: value,
});
export const list = (of: Field, min = 0): Field => ({ kind: "array", of, min });
export const object = (fields: Shape): Field => ({ kind: "object", fields });
export const oneOf = (...values: string[]): Field => ({ kind: "enum", values });

type Path = (string | number)[];

export function validValue(field: Field): unknown {
  switch (field.kind) {
    case "string":
      return "text";
    case "boolean":
      return true;
    case "number":
      return 0.5;
    case "positive-int":
      return 7;
    case "enum":
      return field.values[0];
    case "array":
      return [validValue(field.of)];
    case "object":
      return Object.fromEntries(Object.entries(field.fields).map(([name, child]) => [name, validValue(child)]));
    case "json":
      return { any: ["json", 1, null] };
  }
}

const wrongValues = (field: Field): unknown[] => {
  const all: Record<string, unknown> = { string: "s", number: 1.5, boolean: true, array: [1], object: { a: 1 } };
  switch (field.kind) {
    case "string":
      return [all.number, all.boolean, all.array, all.object];
    case "boolean":
      return [all.string, all.number, 0, 1, "true", all.array];
    case "number":
      return [all.string, Number.NaN, Number.POSITIVE_INFINITY, all.boolean, all.object];
    case "positive-int":
      return [0, -1, 1.5, "1", Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, all.boolean, all.array];
    case "enum":
      return [`${field.values[0]}x`, "", (field.values[0] ?? "").toUpperCase() + "_", 1, all.array];
    case "array":
      return [all.string, all.object, all.number];
    case "object":
      return [all.string, all.array, all.number, all.boolean];
    case "json":
      return [Number.NaN, () => 1, new Map(), 1n];
  }
};

const replaceAt = (root: unknown, path: Path, value: unknown): unknown => {
  const [head, ...rest] = path;
  if (head === undefined) return value;
  const copy = structuredClone(root) as Record<string | number, unknown>;
  if (rest.length === 0 && value === undefined) delete copy[head];
  else copy[head] = replaceAt(copy[head], rest, value);
  return copy;
};

const startsWith = (path: readonly PropertyKey[], prefix: Path): boolean => prefix.every((part, i) => path[i] === part);

function* fieldsOf(field: Field, path: Path = []): Generator<{ field: Field; path: Path }> {
  yield { field, path };
  if (field.kind === "object")
    for (const [name, child] of Object.entries(field.fields)) yield* fieldsOf(child, [...path, name]);
  if (field.kind === "array") yield* fieldsOf(field.of, [...path, 0]);
}

/** Checks a schema, field by field, against a shape: what it takes, what it refuses and where, what it fills in. */
export function checkShape(schema: z.ZodType, shape: Shape, fixed: Record<string, unknown> = {}): void {
  const root = object(shape);
  const valid = { ...(validValue(root) as object), ...fixed };
  const refuses = (value: unknown, path: Path, what: string) => {
    const result = schema.safeParse(value);
    expect(result.success, `${path.join(".")} took ${what}`).toBe(false);
    if (result.success) return;
    expect(
      result.error.issues.some((issue) => startsWith(issue.path, path)),
      `${what} at ${path.join(".")} was reported at ${JSON.stringify(result.error.issues.map((issue) => issue.path))}`,
    ).toBe(true);
  };

  it("takes a value with every field", () => {
    expect(schema.safeParse(valid).error?.issues).toBeUndefined();
  });

  it("has the documents' fields and no required field beside them", () => {
    const required = Object.fromEntries(Object.entries(valid).filter(([name]) => !shape[name]?.optional));
    const parsed = schema.safeParse(required);
    expect(parsed.error?.issues).toBeUndefined();
    for (const [name, field] of Object.entries(shape))
      if (field.default !== undefined)
        expect((parsed.data as Record<string, unknown>)[name], name).toEqual(field.default);
  });

  for (const { field, path } of fieldsOf(root)) {
    if (path.length === 0) continue;
    const name = path.join(".");
    it(`refuses wrong types of ${name} at its path`, () => {
      for (const wrong of wrongValues(field)) refuses(replaceAt(valid, path, wrong), path, String(wrong));
      if (field.nullable || field.kind === "json")
        expect(schema.safeParse(replaceAt(valid, path, null)).success).toBe(true);
      else refuses(replaceAt(valid, path, null), path, "null");
    });
    if (typeof path.at(-1) === "string")
      it(`${field.optional || field.kind === "json" ? "does without" : "requires"} ${name}`, () => {
        const without = replaceAt(valid, path, undefined);
        if (field.optional || field.kind === "json") expect(schema.safeParse(without).error?.issues).toBeUndefined();
        else refuses(without, path, "absence");
      });
    if (field.kind === "enum")
      it(`takes each of ${name}'s values`, () => {
        for (const value of field.values)
          expect(schema.safeParse(replaceAt(valid, path, value)).success, value).toBe(true);
      });
    if (field.kind === "positive-int")
      it(`takes ${name} from 1 to the largest safe integer`, () => {
        for (const edge of [1, Number.MAX_SAFE_INTEGER]) {
          // A rule between two fields may still speak; the field's own type must not.
          const own = schema
            .safeParse(replaceAt(valid, path, edge))
            .error?.issues.filter((issue) => issue.code !== "custom");
          expect(own ?? []).toEqual([]);
        }
      });
    if (field.kind === "array")
      it(`takes ${field.min ? "a" : "an empty or"} filled list of ${name}`, () => {
        const empty = schema.safeParse(replaceAt(valid, path, []));
        if (field.min) expect(empty.success).toBe(false);
        else expect(empty.success).toBe(true);
      });
  }
}
