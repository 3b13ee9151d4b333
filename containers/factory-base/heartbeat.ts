import type { Log } from "./log.ts";

/** Seconds from one beat to the next; three times that without one is noticed. */
const EVERY_S = 30;
const SEND_MS = 10_000;
/** The last one must not hold up the end of the host. */
const LAST_MS = 2_000;

export interface HeartbeatOptions {
  /** The orchestrator's address, and a token with the scope `events:write`. */
  url: string;
  token: string;
  /** What the orchestrator knows this container by; a token confined to a workspace names it by that. */
  container: string;
  log: Pick<Log, "info" | "warn">;
  everySeconds?: number;
}

/**
 * Tells the orchestrator regularly that this host is there, beginning now. A beat that is not taken changes nothing here:
 * it is said in the log, once until one is taken again. Answers with what stops it, which tells that the end is on purpose.
 */
export function startHeartbeat({
  url,
  token,
  container,
  log,
  everySeconds = EVERY_S,
}: HeartbeatOptions): () => Promise<void> {
  let isTaken: boolean | null = null;
  const beat = async (ending: boolean): Promise<void> => {
    let refusal: string | null = null;
    try {
      const response = await fetch(new URL("/api/health/heartbeats", url), {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify({ container, every_s: everySeconds, ending }),
        redirect: "error",
        signal: AbortSignal.timeout(ending ? LAST_MS : SEND_MS),
      });
      await response.arrayBuffer();
      if (!response.ok) refusal = `HTTP ${response.status}`;
    } catch (error) {
      refusal = error instanceof Error ? error.name : String(error);
    }
    if (refusal !== null && isTaken !== false)
      log.warn("the orchestrator does not take heartbeats", { reason: refusal });
    if (refusal === null && isTaken === false) log.info("the orchestrator takes heartbeats again");
    isTaken = refusal === null;
  };
  let last = beat(false);
  const timer = setInterval(() => {
    last = beat(false);
  }, everySeconds * 1000);
  timer.unref();
  return async () => {
    clearInterval(timer);
    // Behind one that is still under way: the last one said is the one that counts.
    await last;
    await beat(true);
  };
}
