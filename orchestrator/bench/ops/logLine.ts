/** A line of a log, and which cause it really has: the answer key. */
export interface LabelledLine {
  cause: string;
  kind: "worker-log" | "build-log";
  /** The Worker, or the repository. */
  source: string;
  message: string;
}
