/**
 * The seam by which a test stops the engine at a step of a transaction: `at` is called when the step is done, and the
 * transaction goes on when it returns. Steps, in order:
 * `checked` · `logged` (the redo record is written) · `log-synced` (and durable) · `temp-N` (file N stands beside its
 * target, durable) · `temps-written` · `removed-N` · `renamed-N` · `directories-removed` · `diffs-written` · `done`.
 * N counts the files of an entry from 1; of entries that are carried out together, each has its own.
 */
export interface Faults {
  at(step: string): void | Promise<void>;
}

export const NO_FAULTS: Faults = { at: () => undefined };
