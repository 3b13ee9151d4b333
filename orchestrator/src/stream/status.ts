/** The statuses a patch can show, with the word, the colour token and the meaning of each. Shapes: `StatusMark`. */
export interface StatusLook {
  word: string;
  text: string;
  soft: string;
  tone: "applied" | "validated" | "validating" | "failed" | "reverted" | "neutral";
  meaning: string;
}

const neutral = (word: string, meaning: string): StatusLook => ({
  word,
  text: "text-ink-2",
  soft: "bg-hover",
  tone: "neutral",
  meaning,
});

const requested: StatusLook = {
  word: "Validating",
  text: "text-validating",
  soft: "bg-validating-soft",
  tone: "validating",
  meaning: "asked for and being checked, not yet written",
};
const applied: StatusLook = {
  word: "Applied",
  text: "text-applied",
  soft: "bg-applied-soft",
  tone: "applied",
  meaning: "written to the tree",
};
const validated: StatusLook = {
  word: "Validated",
  text: "text-validated",
  soft: "bg-validated-soft",
  tone: "validated",
  meaning: "written, and the workspace's own check passed",
};
const failed: StatusLook = {
  word: "Failed",
  text: "text-failed",
  soft: "bg-failed-soft",
  tone: "failed",
  meaning: "refused; nothing was written",
};
const reverted: StatusLook = {
  word: "Reverted",
  text: "text-reverted",
  soft: "bg-reverted-soft",
  tone: "reverted",
  meaning: "undone by its inverse",
};

const PATCH_LOOKS: Record<string, StatusLook> = {
  patch_requested: requested,
  patch_applied: applied,
  patch_validated: validated,
  patch_failed: failed,
  patch_reverted: reverted,
};

/** An order's and a task's statuses in the same looks. */
const WORK_LOOKS: Record<string, StatusLook> = {
  received: neutral("Received", "taken, not begun"),
  pending: neutral("Pending", "not begun"),
  in_progress: { ...requested, word: "In progress", meaning: "being worked on" },
  delivered: { ...applied, word: "Delivered", meaning: "done" },
  applied,
  validated,
  failed,
  reverted,
  cancelled: neutral("Cancelled", "given up"),
};

/** How a Worker and its checks stand. */
const HEALTH_LOOKS: Record<string, StatusLook> = {
  up: { ...applied, word: "Up", meaning: "its checks pass" },
  down: { ...failed, word: "Down", meaning: "three checks in a row have failed" },
  flapping: { ...requested, word: "Flapping", meaning: "its checks fail and pass by turns" },
  unknown: neutral("Unknown", "not checked yet"),
  passed: { ...applied, word: "Passed", meaning: "all that was looked at is well" },
  skipped: neutral("Skipped", "the Worker has no such profile"),
  timed_out: { ...failed, word: "Timed out", meaning: "no answer came in time" },
  queued: neutral("Queued", "not begun"),
  running: { ...requested, word: "Running", meaning: "being carried out" },
};

export const PATCH_STATUSES = Object.keys(PATCH_LOOKS);
export const lookOf = (status: string): StatusLook =>
  PATCH_LOOKS[status] ?? WORK_LOOKS[status] ?? HEALTH_LOOKS[status] ?? neutral(status.replaceAll("_", " "), status);
