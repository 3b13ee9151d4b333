import type { CustodyRecord } from "@shared/contracts";
import { logPatchEvent } from "../../services/patch/d1Logger.ts";
import { sendReportRequests } from "../../services/delivery/requestReport.ts";
import type { Step } from "../../services/patch/rollups.ts";
import { moveTasksByEvents } from "../../services/task/moveByEvents.ts";
import type { Chain } from "./Chain.ts";
import { OPS_SINK, PROJECTS_SINK, REPORTS_SINK, settlesOrder, type Sink } from "./Sinks.ts";

/** Events of one delivery, and UTF-16 units of their JSON: below what a D1 statement and a Durable Object call carry. */
const PAGE_EVENTS = 250;
const PAGE_SIZE = 400_000;

export interface DeliveryParts {
  env: Env;
  chain: Chain;
  workspaceId: () => string;
  now: () => Date;
}

/** The sink of a name. Throws on a name that `Sinks.aim` never gives. */
export function sinkOf(name: string, parts: DeliveryParts): Sink {
  if (name === OPS_SINK) return opsSink(parts);
  if (name === PROJECTS_SINK) return projectsSink(parts);
  if (name === REPORTS_SINK) return reportsSink(parts);
  if (name.startsWith("hub:")) return roomSink(name.slice("hub:".length), parts);
  throw new RangeError(`no sink is named ${name}`);
}

const opsSink = ({ env, chain, workspaceId, now }: DeliveryParts): Sink => ({
  after: (seq) => pageOf(chain.after(seq, PAGE_EVENTS)),
  deliver: async (records, from) => {
    const steps = stepsOf(chain, records);
    const { seq, hash } = await logPatchEvent(env.DB_OPS, { workspaceId: workspaceId(), from, records, steps }, now());
    // Rows that stand where another chain put them must not be taken for this one's.
    if (seq > 0 && chain.hashAt(seq) !== hash) throw new Error(`DB_OPS holds another chain at seq ${seq}`);
    return seq;
  },
});

const projectsSink = ({ env, chain, workspaceId }: DeliveryParts): Sink => ({
  after: (seq) => pageOf(chain.after(seq, PAGE_EVENTS)),
  deliver: async (records, from) => {
    const { seq } = await moveTasksByEvents(env, workspaceId(), records, from, records.at(-1)?.seq ?? from);
    return seq;
  },
});

/** Asks for the reports of the orders whose patches have settled: one message an order, however many they were. */
const reportsSink = ({ env, chain, workspaceId }: DeliveryParts): Sink => ({
  after: (seq) => chain.after(seq, PAGE_EVENTS),
  deliver: async (records, from) => {
    const last = new Map<string, number>();
    for (const record of records) {
      if (record.order_id !== null && settlesOrder(record)) last.set(record.order_id, record.seq);
    }
    const requests = [...last].map(([orderId, seq]) => ({ orderId, event: { workspaceId: workspaceId(), seq } }));
    await sendReportRequests(env, requests);
    return records.at(-1)?.seq ?? from;
  },
});

const roomSink = (room: string, { env, chain, workspaceId }: DeliveryParts): Sink => ({
  after: (seq) => {
    if (room.startsWith("order:")) return pageOf(chain.ofOrderAfter(room.slice("order:".length), seq, PAGE_EVENTS));
    if (room.startsWith("project:")) {
      return pageOf(chain.ofProjectAfter(room.slice("project:".length), seq, PAGE_EVENTS));
    }
    return pageOf(chain.after(seq, PAGE_EVENTS));
  },
  deliver: async (records, from) => {
    await env.EVENT_HUB.getByName(room).deliver({ source: workspaceId(), records: [...records] });
    return records.at(-1)?.seq ?? from;
  },
});

function pageOf(records: CustodyRecord[]): CustodyRecord[] {
  let size = 0;
  const end = records.findIndex((record) => (size += JSON.stringify(record).length) > PAGE_SIZE);
  return end <= 0 ? records.slice(0, end === 0 ? 1 : undefined) : records.slice(0, end);
}

/** Each patch event with what was said of its patch before it, in the same delivery or an earlier one. */
function stepsOf(chain: Chain, records: readonly CustodyRecord[]): Step[] {
  const lives = new Map<string, { first: CustodyRecord; last: CustodyRecord }>();
  return records.flatMap((next) => {
    const { patch_id: patchId } = next;
    if (next.kind !== "patch" || patchId === null) return [];
    const known = lives.get(patchId);
    const previous = known?.last ?? chain.lastOfPatchBefore(patchId, next.seq);
    const first = known?.first ?? (previous ? (chain.firstOfPatch(patchId) ?? next) : next);
    lives.set(patchId, { first, last: next });
    return [{ first, previous, next }];
  });
}
