import { z } from "zod";

/** A JSON Schema as the API's document holds them; what is not read here passes by. */
export type JsonSchema = Record<string, unknown>;
export type Random = (below: number) => number;

/** xorshift32: the same values for the same seed. */
export function randomOf(seed: number): Random {
  let state = seed || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
export const pick = <T>(random: Random, from: readonly T[]): T => from[random(from.length)]!;

/** Texts that mean something here, for what a schema only describes by a pattern. */
const PLAUSIBLE = [
  "ORD-fuzz",
  "fuzz",
  "default",
  "src/index.ts",
  "README.md",
  "all",
  "2026-01-01T00:00:00.000Z",
  "2026-01-01",
  "0000-01-01",
  "9999-12-31",
  "a".repeat(64),
  "0".repeat(40),
  "task-1",
  "*",
  "line\n",
];
/** What somebody with bad intent, or a broken program, would send. */
export const HOSTILE_TEXTS = [
  "",
  " ",
  "\0",
  "a\0b",
  "../../../../etc/passwd",
  "..\\..\\windows",
  "/etc/shadow",
  "%00",
  "%2e%2e%2f",
  "'; DROP TABLE patch_events; --",
  '" OR 1=1 --',
  "1) UNION SELECT hash FROM api_tokens --",
  '"*" NEAR("a" "b")',
  "<script>alert(1)</script>",
  "javascript:alert(1)",
  "\r\nset-cookie: a=b",
  "${7*7}{{7*7}}",
  "__proto__",
  "constructor",
  "\u202egnp.exe",
  "👩‍👩‍👧‍👦".repeat(50),
  "\ud800",
  "ﷺ".repeat(500),
  "x".repeat(70_000),
  "[".repeat(2_000),
  "9".repeat(400),
  "NaN",
  "-1",
  "1e400",
  "null",
  "order:",
  "branch:a:b:c",
  "ws:ws:default",
];
const deep = (): unknown => {
  let value: unknown = 1;
  for (let depth = 0; depth < 500; depth += 1) value = [value];
  return value;
};
export const HOSTILE_VALUES: readonly (() => unknown)[] = [
  ...HOSTILE_TEXTS.map((text) => () => text),
  ...[null, true, 0, -1, 1.5, 2 ** 53, -(2 ** 53), 1e308, [], {}, [[]], [null]].map((value) => () => value),
  deep,
  () => JSON.parse('{"__proto__": {"admin": true}, "constructor": {"prototype": 1}}'),
  () => Array.from({ length: 3_000 }, (_, n) => n),
  () => Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`key${n}`, n])),
];

const asSchema = (value: unknown): JsonSchema => z.record(z.string(), z.unknown()).catch({}).parse(value);
const schemasOf = (value: unknown): JsonSchema[] => (Array.isArray(value) ? value.map(asSchema) : []);
const numberOf = (value: unknown, otherwise: number): number => (typeof value === "number" ? value : otherwise);

/** Values of a document's schemas. `edge` of a hundred leaves lie at or just beyond a limit. */
export class Sampler {
  readonly #components: Record<string, JsonSchema>;
  readonly #random: Random;
  readonly #edge: number;

  constructor(components: Record<string, JsonSchema>, random: Random, edge = 0) {
    this.#components = components;
    this.#random = random;
    this.#edge = edge;
  }

  value(schema: JsonSchema, depth = 0): unknown {
    const { $ref: reference, const: constant } = schema;
    if (typeof reference === "string") return this.value(this.#components[reference.split("/").at(-1)!] ?? {}, depth);
    if ("const" in schema) return constant;
    if (Array.isArray(schema.enum)) return pick<unknown>(this.#random, schema.enum);
    const either = schemasOf(schema.anyOf ?? schema.oneOf);
    if (either.length > 0) return this.value(pick(this.#random, either), depth);
    const all = schemasOf(schema.allOf);
    if (all.length > 0) return Object.assign({}, ...all.map((part) => this.value(part, depth)));
    switch (Array.isArray(schema.type) ? pick<unknown>(this.#random, schema.type) : schema.type) {
      case "string":
        return this.#text(schema);
      case "integer":
      case "number":
        return this.#number(schema);
      case "boolean":
        return this.#random(2) === 0;
      case "null":
        return null;
      case "array":
        return this.#array(schema, depth);
      case "object":
        return this.#object(schema, depth);
      default:
        return pick<unknown>(this.#random, ["text", 1, null, { a: 1 }, [1]]);
    }
  }

  #isEdge(): boolean {
    return this.#random(100) < this.#edge;
  }

  #text(schema: JsonSchema): string {
    const least = numberOf(schema.minLength, 0);
    const most = numberOf(schema.maxLength, 200);
    if (this.#isEdge()) return "e".repeat(pick(this.#random, [0, Math.max(0, least - 1), least, most, most + 1]));
    if (schema.format === "date-time") return "2026-01-01T00:00:00.000Z";
    const pattern = typeof schema.pattern === "string" ? new RegExp(schema.pattern, "u") : /(?:)/;
    const fitting = PLAUSIBLE.filter((text) => text.length >= least && text.length <= most && pattern.test(text));
    return fitting.length > 0 ? pick(this.#random, fitting) : "x".repeat(Math.max(least, 1));
  }

  #number(schema: JsonSchema): number {
    const least = numberOf(schema.minimum, numberOf(schema.exclusiveMinimum, 0) + 1);
    const most = numberOf(schema.maximum, least + 5);
    if (this.#isEdge()) return pick(this.#random, [least - 1, least, most, most + 1, least + 0.5, 2 ** 53]);
    return least + this.#random(Math.max(1, Math.min(most - least + 1, 10)));
  }

  #array(schema: JsonSchema, depth: number): unknown[] {
    const least = numberOf(schema.minItems, 0);
    const most = Math.min(numberOf(schema.maxItems, 3), least + 3);
    const length = this.#isEdge() ? pick(this.#random, [0, least, most + 1]) : least + this.#random(most - least + 1);
    const items = asSchema(schema.items);
    return Array.from({ length: depth > 6 ? least : length }, () => this.value(items, depth + 1));
  }

  #object(schema: JsonSchema, depth: number): Record<string, unknown> {
    const properties = Object.entries(asSchema(schema.properties));
    const required: unknown[] = Array.isArray(schema.required) ? schema.required : [];
    const kept = properties.filter(([name]) =>
      required.includes(name) ? !this.#isEdge() : depth < 6 && this.#random(2) === 0,
    );
    return Object.fromEntries(kept.map(([name, part]) => [name, this.value(asSchema(part), depth + 1)]));
  }
}

/** The value with one place of it, chosen at random, made hostile. */
export function spoil(value: unknown, random: Random): unknown {
  if (Array.isArray(value) && value.length > 0 && random(4) > 0) {
    const at = random(value.length);
    return value.map((item: unknown, index) => (index === at ? spoil(item, random) : item));
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value) && random(6) > 0) {
    const entries = Object.entries(value);
    if (entries.length > 0 && random(8) > 0) {
      const at = random(entries.length);
      return Object.fromEntries(
        entries.map(([name, item], index) => [name, index === at ? spoil(item, random) : item]),
      );
    }
    return { ...value, [pick(random, HOSTILE_TEXTS.slice(0, 20))]: pick(random, HOSTILE_VALUES)() };
  }
  return pick(random, HOSTILE_VALUES)();
}
