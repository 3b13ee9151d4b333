import { PatchBatchSchema, PATCH_OPS, TasksFileSchema } from "@shared/contracts";
import { expect, test } from "vitest";
import * as build from "@shared/testing/builders";

test("every builder makes what the contracts accept, and together they cover every operation", () => {
  const patches = [
    build.aReplaceBlock(),
    build.anInsertBefore(),
    build.anInsertAfter(),
    build.anAppend(),
    build.aPrepend(),
    build.anApplyDiff(),
    build.aSearchReplace(),
    build.aCreateFile(),
    build.aDeleteFile(),
    build.aRenameFile(),
    build.aReplaceMarker(),
  ];
  expect(PatchBatchSchema.safeParse(build.aBatch({ patches })).success).toBe(true);
  expect(new Set(patches.map((patch) => patch.op))).toEqual(new Set(PATCH_OPS));
  expect(TasksFileSchema.safeParse(build.aTasksFile()).success).toBe(true);
});
