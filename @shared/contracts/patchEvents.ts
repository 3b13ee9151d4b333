/** The steps in a patch's life. */
export const PatchEvents = {
  PATCH_REQUESTED: "patch_requested",
  PATCH_APPLIED: "patch_applied",
  PATCH_VALIDATED: "patch_validated",
  PATCH_FAILED: "patch_failed",
  PATCH_REVERTED: "patch_reverted",
} as const;

export type PatchEventKey = keyof typeof PatchEvents;
export type PatchEventType = (typeof PatchEvents)[PatchEventKey];
