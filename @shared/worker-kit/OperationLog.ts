import { type LoggingOpsRpc, MAX_LOG_ENTRIES, type OperationEntryInput } from "@shared/contracts";
import type { Logger } from "./logger.ts";

/**
 * Lines of one piece of work for the orchestrator's operation log: gathered, and sent together when it is over. No work
 * waits or fails for its log; what could not be sent is said in the Worker's own. Without a binding nothing is sent.
 */
export class OperationLog {
  readonly #binding: LoggingOpsRpc | undefined;
  readonly #log: Logger;
  #entries: OperationEntryInput[] = [];

  constructor(binding: LoggingOpsRpc | undefined, log: Logger) {
    this.#binding = binding;
    this.#log = log;
  }

  add(entry: OperationEntryInput): void {
    this.#entries.push(entry);
  }

  /** Sends what was gathered. Never throws: hand it to `waitUntil`. */
  async flush(): Promise<void> {
    const entries = this.#entries;
    this.#entries = [];
    if (this.#binding === undefined) return;
    for (let at = 0; at < entries.length; at += MAX_LOG_ENTRIES) {
      try {
        const answer = await this.#binding.write({ entries: entries.slice(at, at + MAX_LOG_ENTRIES) });
        if (!answer.ok) this.#log.error("lines were not logged", { error: answer.error });
        else if (answer.dropped > 0) this.#log.warn("lines were dropped", { dropped: answer.dropped });
      } catch (error) {
        this.#log.error("lines were not logged", { error });
      }
    }
  }
}
