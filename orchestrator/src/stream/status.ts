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

/** A run's statuses, and how its attempts end (`AttemptClass`). */
const RUN_LOOKS: Record<string, StatusLook> = {
  queued: neutral("Queued", "waits for its turn"),
  running: { ...requested, word: "Running", meaning: "a provider is at work" },
  waiting: { ...requested, word: "Waits for you", meaning: "a person has to say something first" },
  completed: { ...applied, word: "Completed", meaning: "its change stands" },
  timed_out: { ...failed, word: "Timed out", meaning: "it took longer than it may" },
  change: { ...applied, word: "Changed", meaning: "it ended with a change" },
  "empty-diff": { ...failed, word: "No change", meaning: "it ended well and changed nothing" },
  "diff-refused": { ...failed, word: "Change refused", meaning: "it changed what no patch may" },
  "rate-limited": { ...failed, word: "Rate limited", meaning: "its service asked to be left alone" },
  quota: { ...failed, word: "Quota used up", meaning: "its service has nothing left for this key" },
  auth: { ...failed, word: "Key refused", meaning: "its service does not take the key" },
  "provider-error": { ...failed, word: "Provider failed", meaning: "its service failed or did not answer" },
  "agent-error": { ...failed, word: "Agent failed", meaning: "the agent itself failed" },
  timeout: { ...failed, word: "Timed out", meaning: "it took longer than it may" },
  "output-limit": { ...failed, word: "Output limit", meaning: "it printed more than it may" },
  "disk-limit": { ...failed, word: "Disk limit", meaning: "it wrote more than it may" },
  "memory-limit": { ...failed, word: "Memory limit", meaning: "it took more memory than it may" },
  "cpu-limit": { ...failed, word: "CPU limit", meaning: "it computed for longer than it may" },
  "process-limit": { ...failed, word: "Process limit", meaning: "it started more processes than it may" },
  "key-printed": { ...failed, word: "Key printed", meaning: "a secret stood in its output or its change" },
  "not-installed": { ...failed, word: "Not installed", meaning: "the host has no such program" },
  "host-lost": { ...failed, word: "Host lost", meaning: "the host went away under it" },
  "import-refused": { ...failed, word: "Unreadable change", meaning: "what it answered is no change" },
  "gate-refused": { ...failed, word: "Gate refused", meaning: "a gate refused its batch" },
  "patch-refused": { ...failed, word: "Not placed", meaning: "its batch could not be placed" },
  "validation-failed": { ...reverted, word: "Check failed", meaning: "applied, not passed by the check, and reverted" },
  budget: neutral("No budget", "never started: nothing left to spend"),
  unavailable: neutral("Unavailable", "never started: its provider took nothing"),
  "lost-race": neutral("Lost the race", "another was first"),
};

/** Requests to people, and messages that were given up; `about:status`. */
const DESK_LOOKS: Record<string, StatusLook> = {
  "hil:open": { ...requested, word: "Open", meaning: "nobody has answered yet" },
  "hil:answered": { ...applied, word: "Answered", meaning: "decided" },
  "hil:expired": { ...failed, word: "Expired", meaning: "nobody answered in time" },
  "hil:cancelled": neutral("Withdrawn", "not asked any more"),
  "letter:dead": { ...failed, word: "Dead", meaning: "given up by its queue" },
  "letter:redriven": { ...requested, word: "Redriven", meaning: "sent to its queue again" },
  "letter:discarded": neutral("Discarded", "put aside for good"),
  "health:ok": { ...applied, word: "Answers", meaning: "its last probe was answered" },
  "health:failing": { ...failed, word: "Failing", meaning: "its last probe failed" },
  "health:unknown": neutral("Not probed", "it was not asked yet"),
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

/** What scans found, and the scans themselves. */
const OPS_LOOKS: Record<string, StatusLook> = {
  // How grave it is has the colour; that it is open needs none.
  "ops:open": { ...neutral("Open", "nobody has taken it"), text: "text-ink" },
  "ops:triaged": { ...neutral("Triaged", "looked at, taken by nobody"), text: "text-ink" },
  "ops:in_progress": { ...requested, word: "Claimed", meaning: "somebody has taken it" },
  "ops:resolved": { ...applied, word: "Resolved", meaning: "mended" },
  "ops:closed": {
    ...neutral("Closed", "not seen for three nights, or closed on GitHub"),
    text: "text-ink-3",
    tone: "applied",
  },
  "scan:running": { ...requested, word: "Running", meaning: "reads, groups and files" },
  "scan:done": { ...applied, word: "Done", meaning: "all was read and filed" },
  "scan:partial": { ...reverted, word: "Partial", meaning: "some is left; the next scan goes on where it ended" },
  "scan:failed": { ...failed, word: "Failed", meaning: "it broke off; the next scan goes on" },
  "scan:stuck": { ...failed, word: "Stuck", meaning: "it gave no sign of life; the next scan goes on" },
};

/** Pull requests and issues on GitHub. */
const GITHUB_LOOKS: Record<string, StatusLook> = {
  "pr:open": { ...requested, word: "Open", meaning: "not merged yet" },
  "pr:draft": neutral("Draft", "not ready to be looked at"),
  "pr:merged": { ...validated, word: "Merged", meaning: "part of its base" },
  "pr:closed": neutral("Closed", "closed without being merged"),
  "pr-checks:pending": { ...requested, word: "Checks run", meaning: "the checks of its newest commit have not ended" },
  "pr-checks:success": { ...applied, word: "Checks passed", meaning: "all checks of its newest commit passed" },
  "pr-checks:failure": { ...failed, word: "Checks failed", meaning: "a check of its newest commit failed" },
  "gh:open": { ...requested, word: "Open", meaning: "open on GitHub" },
  "gh:closed": neutral("Closed", "closed on GitHub"),
};

export const PATCH_STATUSES = Object.keys(PATCH_LOOKS);
export const lookOf = (status: string): StatusLook =>
  PATCH_LOOKS[status] ??
  WORK_LOOKS[status] ??
  RUN_LOOKS[status] ??
  DESK_LOOKS[status] ??
  HEALTH_LOOKS[status] ??
  OPS_LOOKS[status] ??
  GITHUB_LOOKS[status] ??
  neutral(status.replaceAll("_", " "), status);
