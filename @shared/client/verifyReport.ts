import { CustodyRecordSchema, DeliveryLedger, DeliveryReportSchema, GENESIS_HASH } from "@shared/contracts";
import canonicalize from "canonicalize";

/**
 * Holds a delivery report against an export of its custody chains, with nothing but the two: no network, no clock, no
 * node. The same code runs in a browser, behind a button, and behind `scripts/verifyReport.ts`.
 */

export type ReportVerdict =
  | {
      ok: true;
      orderId: string;
      records: number;
      chains: { workspaceId: string; head: { seq: number; hash: string } }[];
    }
  | {
      ok: false;
      /** What does not hold, in one sentence. */
      reason: string;
      /** The first link that does not hold, where it is a link. */
      link?: { workspaceId: string; seq: number };
      /** The first member of the report that the chain does not bear out, where it is one: `delivered.patches.total`. */
      member?: string;
    };

type Refused = Extract<ReportVerdict, { ok: false }>;

interface Chain {
  seq: number;
  hash: string;
}

/**
 * Whether the records form unbroken chains from their first links, whether these lead to the heads that the report names,
 * and whether what the report says of the order is what its events come to. `lines` are those of the export, each the
 * RFC 8785 text of a record; empty ones count as none. Records after a head are held to the chain and count for nothing;
 * so do those of a chain that the report does not name, unless they are of its order and from before it was made.
 *
 * What the report says of the order itself (`asked`) and of costs stands in no event: of these it is only checked that
 * they are as the report was sealed.
 */
export async function verifyReport(
  given: unknown,
  lines: Iterable<string> | AsyncIterable<string>,
): Promise<ReportVerdict> {
  const parsed = DeliveryReportSchema.safeParse(given);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return {
      ok: false,
      reason: `this is no delivery report: ${issue?.message ?? ""}`,
      member: issue?.path.join(".") ?? "",
    };
  }
  const report = parsed.data;
  const sealed = await checkSeal(given);
  if (sealed) return sealed;

  const heads = new Map(report.custody.map(({ workspace_id: id, head }) => [id, head]));
  const chains = new Map<string, Chain>();
  const ledger = new DeliveryLedger();
  let records = 0;
  for await (const line of lines) {
    if (line.trim() === "") continue;
    records += 1;
    const link = await checkLink(line, records, chains);
    if (!link.ok) return link;
    const { record } = link;
    const head = heads.get(record.workspace_id);
    if (!head) {
      if (record.order_id !== report.order_id || record.ts > report.generated_at) continue;
      const { workspace_id: workspaceId, seq } = record;
      const reason = `the report leaves out the chain ${workspaceId}, whose link ${seq} is of its order and older than it`;
      return { ok: false, reason, link: { workspaceId, seq }, member: "custody" };
    }
    if (record.seq === head.seq && record.hash !== head.hash) {
      return brokenAt(record, "it is not the link that the report names as the chain's head");
    }
    if (record.seq <= head.seq && record.order_id === report.order_id) ledger.add(record);
  }
  for (const [workspaceId, head] of heads) {
    const reached = chains.get(workspaceId)?.seq ?? 0;
    if (reached < head.seq) {
      const reason = `the export ends at ${reached}, the report's head is ${head.seq}`;
      return { ok: false, reason, link: { workspaceId, seq: reached + 1 } };
    }
  }
  const member = firstDifference(report.delivered, ledger.summary(), "delivered");
  if (member !== null) return { ok: false, reason: "the events come to something else", member };
  return {
    ok: true,
    orderId: report.order_id,
    records,
    chains: report.custody.map(({ workspace_id: workspaceId, head }) => ({ workspaceId, head })),
  };
}

/** A report as it is found: itself, a row of `report_json`, or the API's answer around one. Null where it is none of these. */
export function reportIn(given: unknown): unknown {
  if (typeof given !== "object" || given === null) return null;
  if ("report" in given) return reportIn(given.report);
  if (!("report_json" in given)) return given;
  if (typeof given.report_json !== "string") return null;
  try {
    return JSON.parse(given.report_json);
  } catch {
    // Not JSON, so no report: the caller says so.
    return null;
  }
}

/** The lines of a stream of UTF-8 text, such as a response's body. Throws where it is not UTF-8. */
export async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const reader = stream.getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      rest += done ? decoder.decode() : decoder.decode(value, { stream: true });
      const lines = rest.split("\n");
      rest = lines.pop() ?? "";
      yield* lines;
      if (done) break;
    }
    if (rest !== "") yield rest;
  } finally {
    reader.releaseLock();
  }
}

async function checkSeal(given: unknown): Promise<Refused | null> {
  const { sha256: said, ...rest } = { sha256: "", ...asObject(given) };
  const text = canonicalText(rest);
  return text !== null && (await sha256(text)) === said
    ? null
    : { ok: false, reason: "the report is not as it was sealed", member: "sha256" };
}

async function checkLink(
  line: string,
  count: number,
  chains: Map<string, Chain>,
): Promise<{ ok: true; record: ReturnType<typeof CustodyRecordSchema.parse> } | Refused> {
  let sent: unknown;
  try {
    sent = JSON.parse(line);
  } catch {
    // A cut line is a broken export, whatever the parser calls it.
    return { ok: false, reason: `line ${count} of the export is no JSON` };
  }
  const parsed = CustodyRecordSchema.safeParse(sent);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const link = placeOf(sent);
    const reason = `line ${count} of the export is no custody record: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`;
    return { ok: false, reason, ...(link === null ? {} : { link }) };
  }
  const record = parsed.data;
  const before = chains.get(record.workspace_id) ?? { seq: 0, hash: GENESIS_HASH };
  if (record.seq !== before.seq + 1) {
    return brokenAt({ ...record, seq: before.seq + 1 }, `${record.seq} stands in its place`);
  }
  if (record.prev_hash !== before.hash) return brokenAt(record, "it does not follow the link before it");
  // As sent, not as parsed: a member that the schema does not know must not go unhashed.
  const { hash, ...unhashed } = { hash: "", ...asObject(sent) };
  const text = canonicalText(unhashed);
  if (text === null || (await sha256(text)) !== hash) return brokenAt(record, "it does not have its hash");
  // One spelling: a member written twice would read one way here and another way elsewhere.
  if (canonicalText(sent) !== line.trim()) return brokenAt(record, "its line is not its RFC 8785 text");
  chains.set(record.workspace_id, { seq: record.seq, hash: record.hash });
  return { ok: true, record };
}

const brokenAt = (record: { workspace_id: string; seq: number }, why: string): Refused => ({
  ok: false,
  reason: `link ${record.seq} of ${record.workspace_id} does not hold: ${why}`,
  link: { workspaceId: record.workspace_id, seq: record.seq },
});

/** The path of the first member in which two JSON values differ; null where they are the same. */
function firstDifference(said: unknown, is: unknown, path: string): string | null {
  if (said === is) return null;
  if (typeof said !== "object" || typeof is !== "object" || said === null || is === null) return path;
  const [a, b] = [new Map<string, unknown>(Object.entries(said)), new Map<string, unknown>(Object.entries(is))];
  for (const key of new Set([...a.keys(), ...b.keys()])) {
    const found = firstDifference(a.get(key), b.get(key), `${path}.${key}`);
    if (found !== null) return found;
  }
  return null;
}

function placeOf(sent: unknown): { workspaceId: string; seq: number } | null {
  const { workspace_id: workspaceId, seq } = { workspace_id: null, seq: null, ...asObject(sent) };
  return typeof workspaceId === "string" && typeof seq === "number" ? { workspaceId, seq } : null;
}

const asObject = (value: unknown): object => (typeof value === "object" && value !== null ? value : {});

function canonicalText(value: unknown): string | null {
  try {
    return canonicalize(value) ?? null;
  } catch {
    // What has no canonical text, such as half of a surrogate pair, has no hash either.
    return null;
  }
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
