import { HubClient, type HubState } from "@shared/client";
import { create } from "zustand";
import { queryClient } from "../api/client.ts";
import { notify } from "../components/notices.tsx";
import { eventOfRecord, type StreamEvent } from "./event.ts";
import { tellHilSignal } from "./hilSignals.ts";
import { PatchBook } from "./PatchBook.ts";
import { outputHintOf, tellOutputHint } from "./runOutput.ts";

export type Connection = "idle" | HubState;

interface StreamState {
  connection: Connection;
  /** When the connection took this state, in milliseconds. */
  since: number;
  /** How often the server said that what was missed is gone: what was read before may have a hole. */
  resets: number;
  /** Rises with each change of `book`, which is changed in place. */
  revision: number;
  book: PatchBook;
  /** Events taken in, and how many of them asked for a patch. */
  received: number;
  requested: number;
  /** Events in each of the last sixty seconds, the present one last. */
  rate: readonly number[];
  /** Position in the room's stream. */
  offset: number | null;
}

/** Patches held at once; a page of history has its own place. */
const CAPACITY = 2_000;
/** How often what came in is shown, at most: a trickle at once, a burst four times a second, so that drawing it leaves the page free. */
const CALM_MS = 100;
const BURST_MS = 250;
const BURST_EVENTS = 40;
const SECONDS = 60;

const empty = (): Omit<StreamState, "connection" | "since"> => ({
  resets: 0,
  revision: 0,
  book: new PatchBook(CAPACITY),
  received: 0,
  requested: 0,
  rate: Array.from({ length: SECONDS }, () => 0),
  offset: null,
});

export const useStream = create<StreamState>(() => ({ connection: "idle", since: Date.now(), ...empty() }));

/**
 * Joins the room and keeps `useStream` up to date until the returned function is called. Events are gathered and shown
 * together: a burst costs one rendering, not one an event.
 */
export function joinStream(url: string): () => void {
  let pending: StreamEvent[] = [];
  let timer: ReturnType<typeof setTimeout> | null = null;
  let offset: number | null = null;
  useStream.setState({ ...empty(), connection: "connecting", since: Date.now() });

  let wait = CALM_MS;
  const flush = (): void => {
    timer = null;
    const events = pending;
    pending = [];
    wait = events.length > BURST_EVENTS ? BURST_MS : CALM_MS;
    const { book, revision, received, requested, rate } = useStream.getState();
    let taken = 0;
    let asked = 0;
    for (const event of events) {
      if (!book.add(event)) continue;
      taken += 1;
      if (event.type === "patch_requested") asked += 1;
    }
    useStream.setState({
      revision: revision + 1,
      received: received + taken,
      requested: requested + asked,
      rate: [...rate.slice(0, -1), (rate.at(-1) ?? 0) + taken],
      offset,
    });
  };
  const tick = setInterval(() => {
    const { rate } = useStream.getState();
    if (rate.some((count) => count > 0)) useStream.setState({ rate: [...rate.slice(1), 0] });
  }, 1_000);

  const hub = new HubClient({
    url,
    onMessage: (message) => {
      offset = message.offset;
      // What runs print is read where it is shown, and would fill the book of patches.
      const hint = outputHintOf(message.payload);
      if (hint !== null) return tellOutputHint(hint);
      tellHilSignal(message.payload);
      pending.push(eventOfRecord(message.payload));
      timer ??= setTimeout(flush, wait);
    },
    onAlert: ({ payload }) => {
      notify({ status: payload.severity === "info" ? "neutral" : "failed", title: payload.title, text: payload.text });
      void queryClient.invalidateQueries({ queryKey: ["alerts"] });
      if (payload.kind.startsWith("ops.")) void queryClient.invalidateQueries({ queryKey: ["ops"] });
    },
    onReset: () => {
      pending = [];
      const { resets } = useStream.getState();
      useStream.setState({ ...empty(), resets: resets + 1 });
    },
    onState: (connection) => useStream.setState({ connection, since: Date.now() }),
  });

  return () => {
    hub.close();
    clearInterval(tick);
    if (timer !== null) clearTimeout(timer);
    useStream.setState({ ...empty(), connection: "idle", since: Date.now() });
  };
}
