import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalText, hashOf, payloadHashOf, sha256, TreeHash } from "../../core/index.ts";

describe("canonical text", () => {
  test("is that of RFC 8785, section 3.2.2: numbers, strings and literals", () => {
    const value = {
      numbers: [Number("333333333.33333329"), 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      string: "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"/",
      literals: [null, true, false],
    };
    expect(canonicalText(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  test("is that of RFC 8785, section 3.2.3: names in the order of their UTF-16 code units", () => {
    const value = {
      "\u20ac": "Euro Sign",
      "\r": "Carriage Return",
      "\ufb33": "Hebrew Letter Dalet With Dagesh",
      "1": "One",
      "\ud83d\ude00": "Emoji: Grinning Face",
      "\u0080": "Control",
      "\u00f6": "Latin Small Letter O With Diaeresis",
    };
    expect([...canonicalText(value).matchAll(/:"([^"]+)"/g)].map((match) => match[1])).toEqual([
      "Carriage Return",
      "One",
      "Control",
      "Latin Small Letter O With Diaeresis",
      "Euro Sign",
      "Emoji: Grinning Face",
      "Hebrew Letter Dalet With Dagesh",
    ]);
  });

  test("numbers are those of RFC 8785, appendix B", () => {
    const samples: [string, string][] = [
      ["0000000000000000", "0"],
      ["8000000000000000", "0"],
      ["0000000000000001", "5e-324"],
      ["7fefffffffffffff", "1.7976931348623157e+308"],
      ["4340000000000000", "9007199254740992"],
      ["4430000000000000", "295147905179352830000"],
      ["44b52d02c7e14af5", "9.999999999999997e+22"],
      ["444b1ae4d6e2ef4f", "999999999999999900000"],
      ["444b1ae4d6e2ef50", "1e+21"],
      ["3eb0c6f7a0b5ed8c", "9.999999999999997e-7"],
      ["3eb0c6f7a0b5ed8d", "0.000001"],
      ["41b3de4355555553", "333333333.3333332"],
      ["becbf647612f3696", "-0.0000033333333333333333"],
    ];
    for (const [bits, text] of samples) expect(canonicalText(Buffer.from(bits, "hex").readDoubleBE())).toBe(text);
  });

  test("does not depend on the order in which names were written", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        fc.pre(canonicalOrNull(value) !== null);
        const reversed = Object.fromEntries(Object.entries(value).toReversed());
        expect(canonicalText(reversed)).toBe(canonicalText(value));
        expect(JSON.parse(canonicalText(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ["a lone surrogate", "\ud800"],
    ["NaN", Number.NaN],
    ["an infinity", Infinity],
    ["undefined", undefined],
  ])("%s has none", (_name, value) => {
    expect(() => canonicalText(value)).toThrow(TypeError);
  });
});

function canonicalOrNull(value: unknown): string | null {
  try {
    return canonicalText(value);
  } catch {
    return null;
  }
}

describe("hashes", () => {
  test("are SHA-256 of UTF-8 bytes", () => {
    expect(sha256("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect(sha256("é")).toBe(sha256(Buffer.from([0xc3, 0xa9])));
    expect(hashOf({ b: 1, a: 2 })).toBe(sha256('{"a":2,"b":1}'));
  });

  test("a batch's payload hash leaves out its id alone, and defaults are not filled in", () => {
    const batch = { patches: [{ op: "append", file: "a", block: "b", batchId: "inner" }] };
    expect(payloadHashOf({ ...batch, batchId: "x" })).toBe(payloadHashOf(batch));
    expect(payloadHashOf({ ...batch, reason: "" })).not.toBe(payloadHashOf(batch));
    expect(payloadHashOf({ patches: [{ ...batch.patches[0], batchId: "other" }] })).not.toBe(payloadHashOf(batch));
  });
});

describe("the tree hash", () => {
  const hash = (rows: [string, string, string][]) =>
    sha256(JSON.stringify(rows.toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))));
  const path = fc.oneof(
    fc.constantFrom("a", "b", "a/b", "\uffee", "😀", "é", "z"),
    fc.string({ unit: "grapheme", minLength: 1 }),
  );

  test("is that of the rows sorted by the bytes of their paths, however they were set and deleted", () => {
    fc.assert(
      fc.property(fc.array(fc.record({ path, digest: fc.boolean(), kind: fc.nat(3), mode: fc.boolean() })), (steps) => {
        const tree = new TreeHash();
        const rows = new Map<string, [string, string, string]>();
        for (const { path, kind, mode, digest } of steps) {
          if (kind === 0) {
            tree.delete(path);
            rows.delete(path);
          } else {
            const fileMode = mode ? "100755" : "100644";
            tree.set(path, fileMode, sha256(String(kind)));
            rows.set(path, [path, fileMode, sha256(String(kind))]);
          }
          if (digest) expect(tree.digest()).toBe(hash([...rows.values()]));
        }
        expect(tree.digest()).toBe(hash([...rows.values()]));
        expect(tree.size).toBe(rows.size);
      }),
      { numRuns: 1000 },
    );
  });
});
