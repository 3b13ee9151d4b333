import { GITHUB_MAX_BODY } from "@shared/contracts";
import { expect, test } from "vitest";
import { bearsMarker, commentOf, markerOf } from "../../worker/services/delivery/reportComment.ts";
import { escapeMarkdown } from "../../worker/services/delivery/markdown.ts";
import { quietMarkdown } from "../../worker/services/github/quietMarkdown.ts";

const report = (markdown: string) => ({ orderId: "ORD-1", version: 7, markdown });

test("a report that fits stands whole below its marker", () => {
  const body = commentOf(report("# Delivery report\n\n## Files\n\na\n\n## Custody\n\nb\n"));
  expect(body).toBe(`${markerOf("ORD-1")}\n# Delivery report\n\n## Files\n\na\n\n## Custody\n\nb`);
  expect(bearsMarker(body, "ORD-1")).toBe(true);
  expect(bearsMarker(body.replaceAll("\n", "\r\n"), "ORD-1")).toBe(true);
  expect(bearsMarker(body, "ORD-12")).toBe(false);
  expect(bearsMarker(`see ${markerOf("ORD-1")}`, "ORD-1")).toBe(false);
});

test("what a comment cannot hold is left out by whole sections, the longest first, and named", () => {
  const long = (letter: string, length: number) => `${letter.repeat(length)}\n\n`;
  const body = commentOf(
    report(
      `# Report\n\n## Files\n\n${long("f", 30_000)}## Patches\n\n${long("p", 60_000)}## Custody\n\n${long("c", 100)}`,
    ),
  );
  expect(body.length).toBeLessThanOrEqual(GITHUB_MAX_BODY);
  expect(body).toContain("f".repeat(30_000));
  expect(body).toContain("c".repeat(100));
  expect(body).not.toContain("pp");
  expect(body).toContain("Left out here, for want of space: Patches. Version 7 of the report");
  const none = commentOf(
    report(`# Report\n\n${["A", "B"].map((name) => `## ${name}\n\n${long("x", 70_000)}`).join("")}`),
  );
  expect(none).toContain("Left out here, for want of space: A, B.");
});

test("exactly as long as it may be, and hostile texts grown by what makes them harmless, it still fits", () => {
  for (const fill of ["@a ", "#1 ", "x", "😀", "GH-1 "]) {
    const sections = Array.from({ length: 12 }, (_, n) => `## S${n}\n\n${fill.repeat(9_000 / fill.length)}\n\n`);
    const body = commentOf(report(`# R\n\n${sections.join("")}`));
    expect(body.length).toBeLessThanOrEqual(GITHUB_MAX_BODY);
    expect(body.isWellFormed()).toBe(true);
  }
});

test("nobody is mentioned and nothing referred to, also by what Markdown would unescape", () => {
  for (const text of ["@octocat", "a@b", "org/repo#12", "#1", "GH-3", "&#64;octocat", "\\@octocat", "@\u200boctocat"]) {
    const quiet = quietMarkdown(escapeMarkdown(text)).replaceAll("\\", "");
    expect(quiet, text).not.toMatch(/@[\w-]|(?<!&)#\d|\bGH-\d/i);
  }
  expect(quietMarkdown("# Head\n\n## Next &#124; &#104;ttp")).toBe("# Head\n\n## Next &#124; &#104;ttp");
});
