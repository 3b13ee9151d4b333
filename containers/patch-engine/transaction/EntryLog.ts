import {
  closeSync,
  constants,
  fdatasync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  statSync,
  writeSync,
} from "node:fs";
import { promisify } from "node:util";
import { fail, GENESIS_HEAD, LogEntrySchema, type Head, type LogEntry, type Result } from "@shared/contracts";
import { verifyEntries } from "../core/index.ts";
import type { Faults } from "./steps.ts";

const syncData = promisify(fdatasync);

/** Whether an entry is in the log is not known: writing it failed, and so did taking it back. */
export class LogInDoubt extends Error {}

/** Where an entry stands in the file, and what is looked up without reading it. */
export interface IndexedEntry {
  seq: number;
  hash: string;
  offset: number;
  length: number;
  kind: LogEntry["kind"];
  batchId: string;
  payloadHash: string;
}

const NEWLINE = 0x0a;

/**
 * `log.jsonl`: one entry a line, each holding the hash of the one before. All methods are called under the workspace's
 * lock. A last line that is incomplete, or no JSON, is an append that was cut off before anything else was written, and
 * is cut away; any other flaw is LOG_CORRUPT, and the file stays as it is for whoever looks into it.
 */
export class EntryLog {
  readonly #path: string;
  readonly #fd: number;
  readonly #inode: bigint;
  #size = 0;
  #index: IndexedEntry[] = [];
  #byBatch = new Map<string, IndexedEntry>();
  #byPatch = new Map<string, IndexedEntry>();
  /** What this process appended last: whoever applies a batch asks for its entry at once. */
  #appended: LogEntry | null = null;

  constructor(path: string) {
    this.#path = path;
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW;
    this.#fd = openSync(path, flags, 0o644);
    this.#inode = fstatSync(this.#fd, { bigint: true }).ino;
  }

  get head(): Head {
    const last = this.#index.at(-1);
    return last ? { seq: last.seq, hash: last.hash } : GENESIS_HEAD;
  }

  batch(batchId: string): IndexedEntry | undefined {
    return this.#byBatch.get(batchId);
  }

  /** The entry that applied a patch. */
  patch(patchId: string): IndexedEntry | undefined {
    return this.#byPatch.get(patchId);
  }

  /** The hash of an entry; of 0, the genesis hash; undefined beyond the end. */
  hashAt(seq: number): string | undefined {
    return seq === 0 ? GENESIS_HEAD.hash : this.#index[seq - 1]?.hash;
  }

  /**
   * Takes in what other processes appended, and answers with it. `marked`: the number up to which entries are known to
   * have been carried out, so that no cut may go below it.
   */
  refresh(marked: number): Result<{ entries: LogEntry[] }> {
    const named = statSync(this.#path, { bigint: true, throwIfNoEntry: false });
    if (named?.ino !== this.#inode) return corrupt("log.jsonl was replaced while in use");
    const size = Number(fstatSync(this.#fd, { bigint: true }).size);
    if (size === this.#size) {
      if (marked > this.head.seq)
        return corrupt(`log.jsonl ends at entry ${this.head.seq}, but ${marked} were applied`);
      return { ok: true, entries: [] };
    }
    if (size < this.#size) return corrupt("log.jsonl has become shorter");
    const parsed = parseLines(this.#read(this.#size, size - this.#size), this.head);
    const { entries, lengths, flaw } = parsed;
    const reached = entries.at(-1)?.seq ?? this.head.seq;
    if (flaw && (!flaw.last || marked > reached)) return corrupt(flaw.reason);
    if (marked > reached) return corrupt(`log.jsonl ends at entry ${reached}, but ${marked} were applied`);
    entries.forEach((entry, at) => this.#add(entry, lengths[at] ?? 0));
    if (flaw) ftruncateSync(this.#fd, this.#size);
    return { ok: true, entries };
  }

  /**
   * Appends an entry; durable when this returns, unless that is waived. Where writing fails the log is as before; where
   * not even that can be had, this throws `LogInDoubt`: the entry may be found at the next look, and counts then.
   */
  async append(entry: LogEntry, faults: Faults, durable: boolean): Promise<void> {
    const line = Buffer.from(`${JSON.stringify(entry)}\n`);
    try {
      for (let written = 0; written < line.length;) written += writeSync(this.#fd, line, written);
      await faults.at("logged");
      if (durable) await syncData(this.#fd);
    } catch (error) {
      try {
        ftruncateSync(this.#fd, this.#size);
      } catch (cause) {
        throw new LogInDoubt("the log could not be cut back", { cause });
      }
      throw error;
    }
    this.#add(entry, line.length);
    this.#appended = entry;
    await faults.at("log-synced");
  }

  /** Makes durable what was appended without being so. */
  sync(): Promise<void> {
    return syncData(this.#fd);
  }

  /** Takes the last entry back, after its files were put back as they were. */
  async removeLast(): Promise<void> {
    const last = this.#index.pop();
    if (!last) return;
    this.#appended = null;
    ftruncateSync(this.#fd, last.offset);
    await syncData(this.#fd);
    this.#size = last.offset;
    this.#byBatch.delete(last.batchId);
    for (const [id, entry] of this.#byPatch) if (entry === last) this.#byPatch.delete(id);
  }

  /** Reads entries again from disk, in order, those after `seq`; throws where the disk fails. */
  after(seq: number, limit = Number.POSITIVE_INFINITY): LogEntry[] {
    const rows = this.#index.slice(seq, seq + limit);
    const first = rows[0];
    const last = rows.at(-1);
    if (!first || !last) return [];
    if (first === last && this.#appended?.hash === first.hash) return [this.#appended];
    const bytes = this.#read(first.offset, last.offset + last.length - first.offset);
    return rows.map((row) => {
      const line = bytes.subarray(row.offset - first.offset, row.offset - first.offset + row.length);
      return LogEntrySchema.parse(JSON.parse(line.toString("utf8")));
    });
  }

  at(seq: number): LogEntry | undefined {
    return this.after(seq - 1, 1)[0];
  }

  /** Reads and verifies the file from its first byte, whatever was verified before. */
  verify(): Result<{ head: Head }> {
    const { entries, flaw } = parseLines(this.#read(0, this.#size), GENESIS_HEAD);
    if (flaw) return corrupt(flaw.reason);
    const last = entries.at(-1);
    return { ok: true, head: last ? { seq: last.seq, hash: last.hash } : GENESIS_HEAD };
  }

  close(): void {
    closeSync(this.#fd);
  }

  #read(offset: number, length: number): Buffer {
    const buffer = Buffer.alloc(length);
    let done = 0;
    while (done < length) {
      const count = readSync(this.#fd, buffer, done, length - done, offset + done);
      if (count === 0) break;
      done += count;
    }
    return buffer.subarray(0, done);
  }

  #add(entry: LogEntry, length: number): void {
    const { seq, hash, kind, batchId, payloadHash } = entry;
    const row = { seq, hash, offset: this.#size, length, kind, batchId, payloadHash };
    this.#index.push(row);
    this.#size += length;
    this.#byBatch.set(batchId, row);
    if (kind === "batch") for (const patch of entry.patches) this.#byPatch.set(patch.patch_id, row);
  }
}

const corrupt = (reason: string) => fail("LOG_CORRUPT", reason);

/** The complete, chained entries at the start of the bytes, and the flaw that ends them, if one does. */
function parseLines(
  bytes: Buffer,
  from: Head,
): { entries: LogEntry[]; lengths: number[]; flaw?: { reason: string; last: boolean } } {
  const entries: LogEntry[] = [];
  const lengths: number[] = [];
  let head = from;
  for (let start = 0; start < bytes.length;) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline === -1 ? bytes.length : newline;
    const last = newline === -1 || newline === bytes.length - 1;
    const seq = head.seq + 1;
    if (newline === -1) return { entries, lengths, flaw: { reason: `entry ${seq} of log.jsonl is cut off`, last } };
    const entry = parseEntry(bytes.subarray(start, end).toString("utf8"));
    if (entry === "torn") return { entries, lengths, flaw: { reason: `entry ${seq} of log.jsonl is not JSON`, last } };
    if (!entry) {
      return { entries, lengths, flaw: { reason: `entry ${seq} of log.jsonl is not a log entry`, last: false } };
    }
    const verified = verifyEntries([entry], head);
    if (!verified.ok) {
      return { entries, lengths, flaw: { reason: `entry ${seq} of log.jsonl: ${verified.reason}`, last: false } };
    }
    entries.push(entry);
    lengths.push(end + 1 - start);
    head = verified.head;
    start = end + 1;
  }
  return { entries, lengths };
}

function parseEntry(line: string): LogEntry | "torn" | null {
  try {
    const parsed = LogEntrySchema.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : null;
  } catch (error) {
    if (error instanceof SyntaxError) return "torn";
    throw error;
  }
}
