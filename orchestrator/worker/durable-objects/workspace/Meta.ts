import { GENESIS_HEAD, type Head, HeadSchema, type WorkspaceSource, WorkspaceSourceSchema } from "@shared/contracts";
import { z } from "zod";

/** What the workspace was opened from; rebuilding starts here. */
export interface Origin {
  source: WorkspaceSource;
  pin: string;
  /** The tree hash before the first log entry; null where the log was not empty when it was first seen. */
  treeHash: string | null;
}
const OriginSchema = z.object({ source: WorkspaceSourceSchema, pin: z.string(), treeHash: z.string().nullable() });

/** The single values a workspace's object keeps, each under its name. */
export class Meta {
  readonly #sql: SqlStorage;
  /** What stands in storage, as far as it was read: this object is the only one that writes there. */
  readonly #known = new Map<string, string | null>();

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** After a transaction that was rolled back: what is remembered may be what it wrote. */
  forget(): void {
    this.#known.clear();
  }

  #get(key: string): string | null {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const [row] = this.#sql.exec<{ value: string }>("SELECT value FROM meta WHERE key = ?", key);
    const value = row?.value ?? null;
    this.#known.set(key, value);
    return value;
  }

  #set(key: string, value: string): void {
    this.#sql.exec(
      "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
      key,
      value,
    );
    this.#known.set(key, value);
  }

  /** Empty before the first call, which names it. */
  get workspaceId(): string {
    return this.#get("workspaceId") ?? "";
  }
  set workspaceId(id: string) {
    this.#set("workspaceId", id);
  }

  /** The workspace an order works in where that is not its own. */
  get alias(): string | null {
    return this.#get("alias");
  }
  set alias(workspaceId: string) {
    this.#set("alias", workspaceId);
  }

  get origin(): Origin | null {
    const text = this.#get("origin");
    return text === null ? null : OriginSchema.parse(JSON.parse(text));
  }
  set origin(origin: Origin) {
    this.#set("origin", JSON.stringify(origin));
  }

  /** Where the engine's log stands, as far as this object has read it. */
  get head(): Head {
    const text = this.#get("head");
    return text === null ? GENESIS_HEAD : HeadSchema.parse(JSON.parse(text));
  }
  set head(head: Head) {
    this.#set("head", JSON.stringify(head));
  }

  /** How often in a row the engine left the queue in doubt, and when (epoch milliseconds) it is asked again. */
  get drive(): { failures: number; retryAt: number } {
    return { failures: Number(this.#get("driveFailures") ?? 0), retryAt: Number(this.#get("driveRetryAt") ?? 0) };
  }
  set drive({ failures, retryAt }: { failures: number; retryAt: number }) {
    this.#set("driveFailures", String(failures));
    this.#set("driveRetryAt", String(retryAt));
  }
}
