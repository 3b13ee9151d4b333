import { createReadStream, readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { linesOf, reportIn, type ReportVerdict, verifyReport } from "@shared/client";
import { fromCaller } from "./repository.ts";

/**
 * `node scripts/verifyReport.ts REPORT.json EVENTS.ndjson`: whether a delivery report is borne out by its custody chains,
 * without asking anyone. REPORT.json is the report, or the API's answer it stands in; EVENTS.ndjson is the export of
 * `GET /api/patches/custody?order_id=…`. One line of JSON on stdout, one for a person on stderr. Exit codes: 0 it holds,
 * 1 it does not (the first broken link or member is named), 2 wrong usage, 5 a file cannot be read.
 */
const EXIT = { holds: 0, broken: 1, usage: 2, unreadable: 5 } as const;

function readReport(file: string): unknown {
  const text = readFileSync(fromCaller(file), "utf8");
  try {
    return reportIn(JSON.parse(text));
  } catch (error) {
    // A report that is no JSON is a report that does not hold; a file that is not there is not.
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function sentence(verdict: ReportVerdict): string {
  if (verdict.ok) {
    const heads = verdict.chains.map(({ workspaceId, head }) => `${workspaceId} up to ${head.seq} (${head.hash})`);
    return `The report of order ${verdict.orderId} holds: ${verdict.records} links, ${heads.join(", ")}.`;
  }
  const { link, member, reason } = verdict;
  const where = link ? ` First broken link: ${link.seq} of ${link.workspaceId}.` : "";
  return `The report does not hold: ${reason}.${where}${member === undefined ? "" : ` In the report: ${member}.`}`;
}

async function main(args: string[]): Promise<number> {
  const [report, events] = args;
  if (report === undefined || events === undefined || args.length > 2) {
    console.error("Usage: node scripts/verifyReport.ts REPORT.json EVENTS.ndjson");
    return EXIT.usage;
  }
  let verdict: ReportVerdict;
  try {
    const given = readReport(report);
    verdict = await verifyReport(given, linesOf(Readable.toWeb(createReadStream(fromCaller(events)))));
  } catch (error) {
    if (error instanceof TypeError) verdict = { ok: false, reason: "the export is not UTF-8 text" };
    else {
      const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
      console.error(`A file cannot be read (${code}).`);
      return EXIT.unreadable;
    }
  }
  console.log(JSON.stringify(verdict));
  console.error(sentence(verdict));
  return verdict.ok ? EXIT.holds : EXIT.broken;
}

process.exitCode = await main(process.argv.slice(2));
