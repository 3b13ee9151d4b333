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

const LOOKS: Record<string, StatusLook> = {
  patch_requested: {
    word: "Validating",
    text: "text-validating",
    soft: "bg-validating-soft",
    tone: "validating",
    meaning: "asked for, checked, not yet written",
  },
  patch_applied: {
    word: "Applied",
    text: "text-applied",
    soft: "bg-applied-soft",
    tone: "applied",
    meaning: "written to the tree",
  },
  patch_validated: {
    word: "Validated",
    text: "text-validated",
    soft: "bg-validated-soft",
    tone: "validated",
    meaning: "written, and the workspace's own check passed",
  },
  patch_failed: {
    word: "Failed",
    text: "text-failed",
    soft: "bg-failed-soft",
    tone: "failed",
    meaning: "refused; nothing was written",
  },
  patch_reverted: {
    word: "Reverted",
    text: "text-reverted",
    soft: "bg-reverted-soft",
    tone: "reverted",
    meaning: "undone by its inverse",
  },
};

/** An order's and a task's statuses in the same looks. */
const WORK: Record<string, StatusLook> = {
  received: neutral("Received", "taken, not begun"),
  pending: neutral("Pending", "not begun"),
  in_progress: { ...LOOKS.patch_requested, word: "In progress", meaning: "being worked on" } as StatusLook,
  delivered: { ...LOOKS.patch_applied, word: "Delivered", meaning: "done" } as StatusLook,
  applied: LOOKS.patch_applied as StatusLook,
  validated: LOOKS.patch_validated as StatusLook,
  failed: LOOKS.patch_failed as StatusLook,
  reverted: LOOKS.patch_reverted as StatusLook,
  cancelled: neutral("Cancelled", "given up"),
};

export const PATCH_STATUSES = Object.keys(LOOKS);
export const lookOf = (status: string): StatusLook => LOOKS[status] ?? WORK[status] ?? neutral(status.replaceAll("_", " "), status);
