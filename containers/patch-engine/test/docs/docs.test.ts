import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { ERROR_STATUS, PATCH_OPS } from "@shared/contracts";
import { scoreOf, type SafetyFacts } from "../../safety/score.ts";

/** `docs/patch-engine.md` is what an author of agents goes by: it may not name what is not there, nor leave out a code. */
const root = fileURLToPath(new URL("../../../../", import.meta.url));
const page = readFileSync(`${root}docs/patch-engine.md`, "utf8");

function section(title: string): string {
  const at = page.indexOf(`\n## ${title}`);
  expect(at, title).toBeGreaterThan(-1);
  const end = page.indexOf("\n## ", at + 1);
  return page.slice(at, end === -1 ? undefined : end);
}
const inBackticks = (text: string): string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);
const firstCells = (text: string): string[] =>
  [...text.matchAll(/^\| ([^|]*)\|/gm)].flatMap(([, cell]) => inBackticks(cell!));

test("each error code has a row, or is named as one that the engine never answers; and no row is of another", () => {
  const refusals = section("Refusals");
  const others = inBackticks(/Codes of the same list that other parts answer.*$/m.exec(refusals)?.[0] ?? "");
  expect([...firstCells(refusals), ...others].toSorted()).toEqual(Object.keys(ERROR_STATUS).toSorted());
});

test("each operation has a row", () => {
  expect(firstCells(section("Operations")).toSorted()).toEqual([...PATCH_OPS].toSorted());
});

test("each reason of the safety score has a row with its most points", () => {
  const most: SafetyFacts = {
    linesRemoved: 1e6,
    largestShare: { file: "a", share: 1 },
    filesTouched: 1e6,
    filesDeleted: Array.from({ length: 100 }, () => "a"),
    exportsRemoved: Array.from({ length: 100 }, () => ({ file: "a", name: "b" })),
    guardDistance: { file: "a", name: "g", lines: 0 },
    findings: Array.from({ length: 100 }, () => ({ gate: "g", message: "m" })),
    moved: 1e6,
  };
  const rows = [...section("simulate").matchAll(/^\| `([a-z-]+)` .*\| (\d+) *\|$/gm)];
  expect(Object.fromEntries(rows.map(([, name, points]) => [name, Number(points)]))).toEqual(
    Object.fromEntries(scoreOf(most).reasons.map(({ name, points }) => [name, points])),
  );
});

test("each test that the page names is there", () => {
  const named = inBackticks(page).filter((name) => name.endsWith(".test.ts"));
  expect(named.length).toBeGreaterThan(30);
  expect(named.filter((path) => !existsSync(`${root}${path}`))).toEqual([]);
  for (const [row] of section("Guarantees").matchAll(/^\| [^-g].*$/gm)) expect(row).toContain(".test.ts`");
});
