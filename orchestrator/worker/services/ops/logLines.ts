import { createHash } from "node:crypto";
import type { BuildLogLine, OpsKind, WorkerLogLine } from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";
import { redactorOf } from "../logging/redact.ts";
import { fingerprintOf } from "./fingerprint.ts";

/** A statement of D1 takes 100 KB of text; lines are sent as one JSON text. */
const CHUNK_BYTES = 90_000;
const MAX_MESSAGE = 4_000;

export type LogKind = OpsKind;

/** One line as it is stored. */
export interface Line {
  key: string;
  worker: string | null;
  repo: string | null;
  run_id: string | null;
  level: string;
  message: string;
  meta: string;
  ts: string;
  fingerprint: string | null;
  commit_sha: string | null;
}

export function lineOf(
  ctx: ServiceContext,
  kind: LogKind,
  line: (WorkerLogLine & { repo?: never; run_id?: never }) | (BuildLogLine & { worker?: never }),
): Line {
  const { level, ts } = line;
  const redact = redactorOf(ctx.env);
  const message = redact(line.message).slice(0, MAX_MESSAGE).toWellFormed();
  const source = line.worker ?? line.repo ?? "";
  const meta = redact(JSON.stringify(line.meta));
  const isTrouble = level === "warn" || level === "error";
  return {
    key: createHash("sha256")
      .update(JSON.stringify([kind, source, line.run_id ?? null, line.id]))
      .digest("hex"),
    worker: line.worker ?? null,
    repo: line.repo ?? null,
    run_id: line.run_id ?? null,
    level,
    message,
    meta: meta.length > MAX_MESSAGE ? "{}" : meta,
    ts,
    fingerprint: isTrouble ? fingerprintOf({ kind, source, message }).fingerprint : null,
    commit_sha: line.commit,
  };
}

/** Statements that store lines, each with the ids of those that were new: a line that is there is left as it is. */
export const storeLines = (
  database: D1Database,
  { kind, name }: { kind: LogKind; name: string },
  lines: readonly Line[],
): D1PreparedStatement[] =>
  chunksOf(lines).map((chunk) => database.prepare(kind === "worker-log" ? WORKER : BUILD).bind(name, chunk));

function chunksOf(lines: readonly Line[]): string[] {
  const chunks: string[] = [];
  let held: string[] = [];
  let bytes = 0;
  for (const line of lines) {
    const text = JSON.stringify(line);
    const size = Buffer.byteLength(text);
    if (bytes + size > CHUNK_BYTES && held.length > 0) {
      chunks.push(`[${held.join(",")}]`);
      held = [];
      bytes = 0;
    }
    held.push(text);
    bytes += size + 1;
  }
  if (held.length > 0) chunks.push(`[${held.join(",")}]`);
  return chunks;
}

const COLUMNS = "level, message, meta, ts, key, fingerprint, commit_sha";
const VALUES = COLUMNS.split(", ")
  .map((name) => `value ->> '$.${name}'`)
  .join(", ");
const WORKER = `
  INSERT INTO worker_logs (source, worker, ${COLUMNS})
  SELECT ?1, value ->> '$.worker', ${VALUES} FROM json_each(?2) WHERE true
  ON CONFLICT (key) WHERE key IS NOT NULL DO NOTHING RETURNING id`;
const BUILD = `
  INSERT INTO build_logs (source, repo, run_id, ${COLUMNS})
  SELECT ?1, value ->> '$.repo', value ->> '$.run_id', ${VALUES} FROM json_each(?2) WHERE true
  ON CONFLICT (key) WHERE key IS NOT NULL DO NOTHING RETURNING id`;
