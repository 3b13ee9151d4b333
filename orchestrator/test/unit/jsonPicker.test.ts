import fc from "fast-check";
import { expect, test } from "vitest";
import { JsonPicker, type Wanted } from "../../worker/services/webhooks/JsonPicker.ts";

const WANTED: Wanted = { a: true, b: { a: true, c: true }, __proto__x: true };

/** What is to be found, by way of the whole document. */
function expected(value: unknown, wanted: Wanted): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  if (typeof value !== "object" || value === null || Array.isArray(value)) return found;
  for (const [name, inner] of Object.entries(value)) {
    const want = Object.hasOwn(wanted, name) ? wanted[name] : undefined;
    if (want === undefined || Array.isArray(inner)) continue;
    const isObject = typeof inner === "object" && inner !== null;
    if (typeof want === "object")
      found[name] = isObject ? expected(inner, want) : typeof inner === "string" ? undefined : inner;
    else if (!isObject) found[name] = inner;
  }
  return Object.fromEntries(Object.entries(found).filter(([, one]) => one !== undefined));
}

function pick(text: string, cuts: readonly number[]): Record<string, unknown> | null {
  const bytes = new TextEncoder().encode(text);
  const picker = new JsonPicker(WANTED);
  let at = 0;
  for (const cut of [...cuts.map((one) => one % (bytes.length + 1)).toSorted((x, y) => x - y), bytes.length]) {
    picker.push(bytes.subarray(at, cut));
    at = Math.max(at, cut);
  }
  return picker.end();
}

const name = fc.constantFrom("a", "b", "c", "d", "", '"', "\\", "}", "__proto__", "constructor", "é");
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { depthSize: "small" },
    fc.string({ unit: "binary" }),
    fc.double({ noNaN: true, noDefaultInfinity: true }).filter((number) => !Object.is(number, -0)),
    fc.boolean(),
    fc.constant(null),
    fc.constantFrom('"', "\\", '\\"', "}", "]", ',"a":1', "\u2028"),
    fc.array(tie("any"), { maxLength: 4 }),
    fc.array(fc.tuple(name, tie("any")), { maxLength: 5 }).map((entries) => Object.fromEntries(entries)),
  ),
})).any;
const document = fc.array(fc.tuple(name, value), { maxLength: 6 }).map((entries) => Object.fromEntries(entries));

test("what is picked is what the whole document holds, wherever its bytes are cut", () => {
  fc.assert(
    fc.property(
      document,
      fc.array(fc.nat(2_000), { maxLength: 6 }),
      fc.constantFrom(0, 1, 2),
      (whole, cuts, indent) => {
        const text = JSON.stringify(whole, null, indent);
        expect(pick(text, cuts)).toEqual(expected(JSON.parse(text), WANTED));
      },
    ),
    { numRuns: 2_000, seed: 20_261_121 },
  );
});

test("what is cut off, goes on, or is no object is nothing", () => {
  const whole = '{"a":"x","b":{"a":1,"c":[{"a":2}]},"d":[1,"]"]}';
  for (let length = 0; length < whole.length; length += 1) expect(pick(whole.slice(0, length), [])).toBeNull();
  for (const text of [`${whole}{}`, "[]", '"a"', "1", "null", "", '{"a":nope}', '{"a" 1}', "{a:1}", '{"a":"\\x"}']) {
    expect(pick(text, []), text).toBeNull();
  }
  expect(pick(` ${whole}\n`, [])).toEqual({ a: "x", b: { a: 1 } });
});

test("a text that is longer than anything wanted is left out, and the last of two of one name counts", () => {
  expect(pick(`{"a":"${"x".repeat(4_097)}","b":{"a":2}}`, [])).toEqual({ b: { a: 2 } });
  expect(pick(`{"a":"${"x".repeat(4_096)}"}`, [])).toEqual({ a: "x".repeat(4_096) });
  expect(pick('{"a":1,"a":2,"b":{"a":1},"b":{"c":"\\u00e9\\""}}', [])).toEqual({ a: 2, b: { c: 'é"' } });
});
