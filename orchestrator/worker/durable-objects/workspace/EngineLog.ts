import { fail, GENESIS_HEAD, type Head, type LogEntry, LogEntrySchema, type Result } from "@shared/contracts";
import { verifyEntries } from "patch-engine/core";
import type { Chain } from "./Chain.ts";
import type { Intents } from "./Intents.ts";
import type { Meta } from "./Meta.ts";
import { draftsOfEntry } from "./records.ts";
import type { Texts } from "./Texts.ts";

/** Entries sent to a host at once when it is rebuilt, in UTF-16 units of their JSON. */
const REPLAY_PAGE = 2_000_000;

/** This object's copy of the engine's log: what the workspace can be rebuilt from when its disk is gone. */
export class EngineLog {
  readonly #sql: SqlStorage;
  readonly #texts: Texts;
  readonly #meta: Meta;
  readonly #chain: Chain;
  readonly #intents: Intents;
  /** The entry taken in last: its batch is answered from it. */
  #last: LogEntry | null = null;

  constructor(sql: SqlStorage, parts: { texts: Texts; meta: Meta; chain: Chain; intents: Intents }) {
    this.#sql = sql;
    this.#texts = parts.texts;
    this.#meta = parts.meta;
    this.#chain = parts.chain;
    this.#intents = parts.intents;
  }

  /**
   * Takes in entries that follow the head: stored, their events appended, the batches they record settled. The caller
   * holds the transaction. Entries already known are skipped if they are the same; CHAIN_BROKEN where they are not.
   * Answers how many events were appended. `reporter`: who stands for them where no engine of ours vouches for them.
   */
  ingest(entries: readonly LogEntry[], reporter: string | null = null): Result<{ events: number; known: number }> {
    const { head } = this.#meta;
    const known = entries.filter((entry) => entry.seq <= head.seq);
    const stranger = known.find((entry) => this.hashAt(entry.seq) !== entry.hash);
    if (stranger) return fail("CHAIN_BROKEN", `the log on record has another entry ${stranger.seq}`);
    const fresh = entries.slice(known.length);
    const verdict = verifyEntries(fresh, head);
    if (!verdict.ok) return fail("CHAIN_BROKEN", verdict.reason);

    let events = 0;
    for (const entry of fresh) {
      const lifeOf = (patchId: string) => this.#chain.lastOfPatchBefore(patchId, Number.MAX_SAFE_INTEGER);
      const drafts = draftsOfEntry(entry, lifeOf);
      const said = reporter === null ? drafts : drafts.map((draft) => ({ ...draft, actor: reporter }));
      events += this.#chain.append(said).length;
      this.#texts.write(`entry:${entry.seq}`, JSON.stringify(entry));
      this.#sql.exec(
        "INSERT INTO entries (seq, batch_id, hash) VALUES (?, ?, ?)",
        entry.seq,
        entry.batchId,
        entry.hash,
      );
      this.#intents.settleByEntry(entry);
      this.#last = entry;
    }
    this.#meta.head = verdict.head;
    return { ok: true, events, known: known.length };
  }

  /** After a transaction that was rolled back: what is remembered may not be on record. */
  forget(): void {
    this.#last = null;
  }

  read(seq: number): LogEntry | null {
    if (this.#last?.seq === seq) return this.#last;
    const text = this.#texts.read(`entry:${seq}`);
    return text === null ? null : LogEntrySchema.parse(JSON.parse(text));
  }

  hashAt(seq: number): string | null {
    const [row] = this.#sql.exec<{ hash: string }>("SELECT hash FROM entries WHERE seq = ?", seq);
    return row?.hash ?? null;
  }

  /** The entries after `seq`, as many as one replay call carries. */
  pageAfter(seq: number): LogEntry[] {
    const page: LogEntry[] = [];
    let size = 0;
    for (let next = seq + 1; ; next += 1) {
      const text = this.#texts.read(`entry:${next}`);
      if (text === null) return page;
      size += text.length;
      if (page.length > 0 && size > REPLAY_PAGE) return page;
      page.push(LogEntrySchema.parse(JSON.parse(text)));
    }
  }

  /** The tree hash the workspace has at the head; null before it was opened. */
  treeHash(): string | null {
    const { head, origin } = this.#meta;
    return head.seq === 0 ? (origin?.treeHash ?? null) : (this.read(head.seq)?.treeAfter ?? null);
  }

  /** Checks the stored entries, from the first to the head. */
  verify(): Result<{ head: Head }> {
    let head: Head = GENESIS_HEAD;
    for (let page = this.pageAfter(0); page.length > 0; page = this.pageAfter(head.seq)) {
      const verdict = verifyEntries(page, head);
      if (!verdict.ok) return fail("CHAIN_BROKEN", verdict.reason);
      head = verdict.head;
    }
    const expected = this.#meta.head;
    return head.seq === expected.seq && head.hash === expected.hash
      ? { ok: true, head }
      : fail("CHAIN_BROKEN", `the log on record ends at ${head.seq}, its head is ${expected.seq}`);
  }
}
