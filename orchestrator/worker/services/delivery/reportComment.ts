import { GITHUB_MAX_BODY } from "@shared/contracts";
import { quietMarkdown } from "../github/quietMarkdown.ts";

/** What our comment is found by, in a line of its own that GitHub does not show. An order's id ends no comment. */
export const markerOf = (orderId: string): string => `<!-- vibehq:delivery:v1:${orderId} -->`;

/** Whether a comment is the one with the report of this order. A report's own words are escaped and hold no such line. */
export const bearsMarker = (body: string, orderId: string): boolean =>
  body.split(/\r?\n/).some((line) => line.trim() === markerOf(orderId));

/** For the line that says what is left out. */
const RESERVED = 1_000;

/**
 * A report as a comment on a pull request: at most 65,536 characters, for which whole sections are left out, the longest
 * first, and named. It mentions nobody and refers to no issue.
 */
export function commentOf(report: { orderId: string; version: number; markdown: string }): string {
  const [head = "", ...sections] = quietMarkdown(report.markdown).split(/^(?=## )/m);
  const opening = `${markerOf(report.orderId)}\n${head}`;
  const left: string[] = [];
  const kept = [...sections];
  const size = () => opening.length + kept.reduce((sum, section) => sum + section.length, 0);
  while (size() > GITHUB_MAX_BODY - RESERVED && kept.length > 0) {
    const [longest = ""] = kept.toSorted((a, b) => b.length - a.length);
    kept.splice(kept.indexOf(longest), 1);
    left.push(longest.slice(3, longest.indexOf("\n")));
  }
  const note =
    left.length === 0
      ? ""
      : `\n\nLeft out here, for want of space: ${left.join(", ")}. Version ${report.version} of the report in VibeHQ holds them.\n`;
  return `${opening}${kept.join("").trimEnd()}${note}`;
}
