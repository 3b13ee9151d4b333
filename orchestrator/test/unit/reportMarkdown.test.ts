import { type CustodyRecord, DeliveryLedger, DeliveryReportSchema, GENESIS_HASH } from "@shared/contracts";
import fc from "fast-check";
import { micromark } from "micromark";
import { gfm, gfmHtml } from "micromark-extension-gfm";
import { describe, expect, test } from "vitest";
import { contentOf, sealReport } from "../../worker/services/delivery/buildReport.ts";
import { escapeMarkdown, table } from "../../worker/services/delivery/markdown.ts";
import { reportMarkdown } from "../../worker/services/delivery/reportMarkdown.ts";

/** GitHub's Markdown, with HTML let through: what would be markup shows. */
const html = (markdown: string): string =>
  micromark(markdown, { extensions: [gfm()], htmlExtensions: [gfmHtml()], allowDangerousHtml: true });

const tagsOf = (rendered: string): Set<string> =>
  new Set([...rendered.matchAll(/<\/?([a-zA-Z][\w-]*)/g)].map(([, name = ""]) => name.toLowerCase()));

const HOSTILE = [
  "<script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  "<!-- -->",
  "[click](javascript:alert(1))",
  "![x](https://evil.test/pixel.png)",
  "<https://evil.test>",
  "https://evil.test/a?b=c&d",
  "www.evil.test",
  "user@evil.test",
  "mailto:user@evil.test",
  "a | b | c",
  "a \\| b \\\\| c\\",
  "line\n# heading\r\n| --- | --- |\n```js\ncode",
  "````",
  "`code` ``co`de``",
  "**bold** __bold__ *i* _i_ ~~gone~~",
  "[^1]: note [^1]",
  "[ref]: https://evil.test 'x'",
  "&lt;script&gt; &amp; &#60;",
  "1. list\n- item\n+ item\n> quote\n- [x] task",
  "\u202Egnp.exe \u200Bhidden\u2066",
  "\u0000\u0007\u001b[31m",
  "setext\n===\n---",
  "$$x$$ :smile: @everyone #1 GH-1",
  "\ud800 lone \udc00",
];

/** What the text is to look like: runs of white space as one space, what cannot be seen said by number. */
const shown = (text: string): string => {
  const rendered = html(escapeMarkdown(text));
  const inner = rendered.replaceAll(/<\/?p>/g, "");
  expect(inner).not.toMatch(/</);
  return inner.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&");
};

describe("text from outside in Markdown", () => {
  test.each(HOSTILE)("%j is shown as itself", (text) => {
    const expected = text
      .toWellFormed()
      .replace(/\s+/g, " ")
      .replace(/[\p{Cc}\p{Cf}]/gu, (c) => `⟨U+${c.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}⟩`);
    expect(shown(text)).toBe(expected.trim());
  });

  test("is one cell of a table and nothing else, whatever it is", { timeout: 60_000 }, () => {
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 60 }),
      fc
        .array(fc.constantFrom(...HOSTILE, "|", "\\", "`", "\n", "<", "[", "](", ")", "*", "_", "http://"), {
          maxLength: 6,
        })
        .map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(text, text, (a, b) => {
        const rendered = html(table(["x", "y"], [[escapeMarkdown(a), escapeMarkdown(b)]]));
        expect([...tagsOf(rendered)].filter((tag) => !TABLE_TAGS.has(tag))).toEqual([]);
        expect(rendered.match(/<td/g)).toHaveLength(2);
      }),
      { numRuns: 400 },
    );
  });
});

const TABLE_TAGS = new Set(["table", "thead", "tbody", "tr", "th", "td"]);

const hash = "a".repeat(64);
function recordOf(seq: number, fields: Partial<CustodyRecord>): CustodyRecord {
  return {
    v: 1,
    workspace_id: "order:ORD-1",
    seq,
    prev_hash: GENESIS_HASH,
    kind: "patch",
    event_type: "patch_applied",
    ts: `2026-01-01T00:00:${String(seq % 60).padStart(2, "0")}.000Z`,
    actor: "token:x",
    batch_id: "b",
    order_id: "ORD-1",
    project_id: null,
    patch_id: `p${seq}`,
    file: "a.ts",
    op: "append",
    task_id: null,
    ts_check_ok: null,
    diff_path: null,
    log: { seq, hash, treeAfter: hash },
    meta: {},
    hash,
    ...fields,
  };
}

const markdownOf = (records: CustodyRecord[], description = ""): string => {
  const ledger = new DeliveryLedger();
  for (const record of records) ledger.add(record);
  const content = contentOf({
    orderId: "ORD-1",
    order: {
      id: "ORD-1",
      project_id: null,
      title: HOSTILE.join(" "),
      description,
      factory: "ui-factory",
      status: "delivered",
      workspace_id: "order:ORD-1",
      created_by: HOSTILE[1]!,
      created_at: "2026-01-01T00:00:00.000Z",
      updated_at: "2026-01-01T00:00:00.000Z",
    } as never,
    tasks: [],
    costs: [
      {
        provider: HOSTILE[0]!,
        model: HOSTILE[3]!,
        executions: 1,
        input_tokens: 1,
        output_tokens: 1,
        cost_usd: 1,
        duration_ms: 1,
      },
    ],
    delivery: {
      summary: ledger.summary(),
      custody: [{ workspace_id: "order:ORD-1", head: { seq: records.length, hash } }],
    },
  });
  const report = sealReport(content, {
    version: 1,
    generatedAt: "2026-01-01T00:00:00.000Z",
    custody: [{ workspace_id: "order:ORD-1", head: { seq: records.length, hash } }],
  });
  expect(DeliveryReportSchema.parse(report)).toEqual(report);
  const markdown = reportMarkdown(report);
  expect(Buffer.byteLength(JSON.stringify(report))).toBeLessThan(1_000_000);
  expect(Buffer.byteLength(markdown)).toBeLessThan(1_000_000);
  return markdown;
};

test("a report of hostile names, reasons and requesters has no markup but its own", () => {
  const records = HOSTILE.flatMap((text, index) => [
    recordOf(index * 4 + 1, {
      file: text,
      op: text,
      patch_id: text,
      task_id: text,
      meta: { requester: text, reason: text, phase: text, provider: text, model: text, checks: [text] },
    }),
    recordOf(index * 4 + 2, {
      event_type: "patch_failed",
      file: text,
      batch_id: text,
      log: null,
      meta: { requester: text, error: { code: text, message: text } },
    }),
    recordOf(index * 4 + 3, {
      event_type: "patch_reverted",
      patch_id: `r${index}`,
      file: text,
      meta: { reason: text, requester: text },
    }),
    recordOf(index * 4 + 4, {
      kind: "phase",
      event_type: "phase_validated",
      patch_id: null,
      meta: { phase: text, message: text },
    }),
  ]);
  const markdown = markdownOf(records, HOSTILE.join("\n\n"));
  const rendered = html(markdown);
  const allowed = new Set([...TABLE_TAGS, "h1", "h2", "p", "pre", "code", "blockquote"]);
  expect([...tagsOf(rendered)].filter((tag) => !allowed.has(tag))).toEqual([]);
  // Every row of a table has as many cells as its head.
  for (const one of rendered.split("<table>").slice(1)) {
    const heads = one.match(/<th/g)!.length - 1;
    for (const row of one.split("<tr>").slice(2)) expect(row.split("</tr>")[0]!.match(/<td/g)).toHaveLength(heads);
  }
  const headings = [...rendered.matchAll(/<h2>(.*?)<\/h2>/g)].map(([, text]) => text);
  expect(headings).toEqual([
    "What was asked",
    "Phases",
    "Files",
    "Failures",
    "Reverted",
    "Checks",
    "Providers",
    "Patches",
    "Custody",
  ]);
});

test(
  "a report of twenty thousand patches with long hostile texts stays below what the database takes",
  { timeout: 60_000 },
  () => {
    const long = "\u202e|<".repeat(2000);
    const records = Array.from({ length: 20_000 }, (_, index) =>
      recordOf(index + 1, {
        event_type: index % 3 === 0 ? "patch_failed" : "patch_applied",
        batch_id: `b${index}`,
        file: `${index}${long}`,
        meta: { requester: long, reason: long, phase: `${index % 500}${long}`, error: { code: "X", message: long } },
      }),
    );
    const markdown = markdownOf(records, "d".repeat(20_000));
    expect(markdown).toContain("more are left out here");
  },
);
