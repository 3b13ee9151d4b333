import { describe, expect, test } from "vitest";
import { coordinatesOf, findMarkers } from "../../core/index.ts";
import { after, plan } from "./arbitraries.ts";

const open = (name: string) => `// ###FINAL_MILE_PROMPT__${name}###`;
const find = (text: string) =>
  findMarkers("f.ts", Buffer.from(text)).map(({ name, span, closed }) => [name, span.start, span.end, closed]);

describe("markers", () => {
  test("a span is both marker lines and what is between; both ways to close are known", () => {
    expect(find(`a\n${open("A")}\nx\n// ###END_A###\n${open("B_2")}\r\n\r\n###END_FINAL_MILE_PROMPT__B_2###`)).toEqual([
      ["A", 2, 4, true],
      ["B_2", 5, 7, true],
    ]);
  });

  test("without a closing line the span is the marker's line alone, and never swallows the next marker", () => {
    expect(find(`${open("A")}\nx\n${open("B")}\ny\n###END_B###`)).toEqual([
      ["A", 1, 1, false],
      ["B", 3, 5, true],
    ]);
    expect(find(`###END_A###\n${open("A")}\n${open("A")}\n###END_A###`)).toEqual([
      ["A", 2, 2, false],
      ["A", 3, 4, true],
    ]);
  });

  test("markers may nest, and open and close on one line", () => {
    expect(find(`${open("A")}\n${open("B")} ###END_B###\n###END_A###`)).toEqual([
      ["A", 1, 3, true],
      ["B", 2, 2, true],
    ]);
  });

  test("content belongs at the first marker, else before line N+1, else in a new file", () => {
    const markers = findMarkers("f.ts", Buffer.from(`a\n${open("A")}\n`));
    expect(coordinatesOf({ file: "f.ts", exists: true, lines: 2, markers })).toEqual({
      mode: "existing",
      span: { start: 2, end: 2 },
    });
    expect(coordinatesOf({ file: "f.ts", exists: true, lines: 2, markers: [] })).toEqual({
      mode: "existing",
      insertBeforeLine: 3,
    });
    expect(coordinatesOf({ file: "f.ts", exists: false, lines: 0, markers: [] })).toEqual({ mode: "new" });
  });
});

describe("replace-marker", () => {
  const text = `a\n${open("A")}\nold\n// ###END_A###\n${open("B")}\nz\n`;
  const replace = (marker: string, more: object = {}) =>
    plan({ "f.ts": text }, { patches: [{ op: "replace-marker", file: "f.ts", marker, block: "new", ...more }] });

  test("replaces the span, or with keepMarkers what stands between the marker lines", () => {
    expect(after({ "f.ts": text }, replace("A"))["f.ts"]).toBe(`a\nnew\n${open("B")}\nz\n`);
    expect(after({ "f.ts": text }, replace("A", { keepMarkers: true }))["f.ts"]).toBe(text.replace("old", "new"));
    expect(after({ "f.ts": text }, replace("B"))["f.ts"]).toBe(text.replace(open("B"), "new"));
    expect(after({ "f.ts": text }, replace("B", { keepMarkers: true }))["f.ts"]).toBe(text.replace("z", "new\nz"));
    expect(after({ "f.ts": text }, replace("A", { block: "" }))["f.ts"]).toBe(`a\n${open("B")}\nz\n`);
  });

  test("a marker that is not there or there twice is refused with the places", () => {
    expect(replace("NONE")).toMatchObject({
      error: {
        code: "MARKER_NOT_FOUND",
        candidates: [
          { start: 2, end: 4 },
          { start: 5, end: 5 },
        ],
      },
    });
    const twice = `${open("A")}\n${open("A")}\n`;
    expect(
      plan({ "f.ts": twice }, { patches: [{ op: "replace-marker", file: "f.ts", marker: "A", block: "x" }] }),
    ).toMatchObject({ error: { code: "AMBIGUOUS_LOCATION", candidates: [{ start: 1 }, { start: 2 }] } });
  });
});
