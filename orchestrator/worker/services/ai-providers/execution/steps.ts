/** The type of event that wakes an execution which waits for people: one answered, or it was cancelled. */
export const WAKE_EVENT = "hil-answer";
/** The type of event that wakes an execution which waits for its provider: there is news of its run. */
export const NEWS_EVENT = "provider-news";

/**
 * How a step is carried out.
 * - `once`: not again by itself, whatever happened: it starts something
 * - `brief`: a few times within two minutes; then the caller decides
 * - `durable`: for as long as an outage may last, about two hours
 */
export type StepKind = "once" | "brief" | "durable";

/**
 * Work in durable steps. What a step answered is kept: after a crash the work begins anew and passes over the steps that
 * have answered. So a step must bear being carried out again where its answer was lost, answers are JSON, and what
 * happens between steps depends on their answers alone. Names are unique within one piece of work.
 */
export interface Steps {
  /** Throws what `work` threw last. */
  do<T extends string | number | boolean | object | null>(
    name: string,
    kind: StepKind,
    work: () => Promise<T>,
  ): Promise<T>;
  sleep(name: string, ms: number): Promise<void>;
  /** Until an event of this type wakes this work, or the time is over; which of both it was does not matter. */
  wait(name: string, ms: number, event: typeof WAKE_EVENT | typeof NEWS_EVENT): Promise<void>;
}
