import type { PatchBatchInput, PatchOperationInput, ScopedTask, TasksFile } from "@shared/contracts";

/** Inputs that the contracts accept, each with one word of difference from the next. Pure: usable in workerd. */

type Operation<Op extends PatchOperationInput["op"]> = Extract<PatchOperationInput, { op: Op }>;
type Fields<Op extends PatchOperationInput["op"]> = Partial<Omit<Operation<Op>, "op">>;

export const aReplaceBlock = (fields: Fields<"replace-block"> = {}): Operation<"replace-block"> => ({
  op: "replace-block",
  file: "src/index.ts",
  start: 1,
  end: 1,
  block: "export const answer = 42;\n",
  ...fields,
});

export const anInsertBefore = (fields: Fields<"insert-before"> = {}): Operation<"insert-before"> => ({
  op: "insert-before",
  file: "src/index.ts",
  line: 1,
  block: "// inserted before\n",
  ...fields,
});

export const anInsertAfter = (fields: Fields<"insert-after"> = {}): Operation<"insert-after"> => ({
  op: "insert-after",
  file: "src/index.ts",
  line: 1,
  block: "// inserted after\n",
  ...fields,
});

export const anAppend = (fields: Fields<"append"> = {}): Operation<"append"> => ({
  op: "append",
  file: "src/index.ts",
  block: "// the end\n",
  ...fields,
});

export const aPrepend = (fields: Fields<"prepend"> = {}): Operation<"prepend"> => ({
  op: "prepend",
  file: "src/index.ts",
  block: "// the beginning\n",
  ...fields,
});

export const anApplyDiff = (fields: Fields<"apply-diff"> = {}): Operation<"apply-diff"> => ({
  op: "apply-diff",
  diff: "--- a/src/index.ts\n+++ b/src/index.ts\n@@ -1,1 +1,2 @@\n export const one = 1;\n+export const two = 2;\n",
  ...fields,
});

export const aSearchReplace = (fields: Fields<"search-replace"> = {}): Operation<"search-replace"> => ({
  op: "search-replace",
  file: "src/index.ts",
  search: "one",
  replace: "first",
  ...fields,
});

export const aCreateFile = (fields: Fields<"create-file"> = {}): Operation<"create-file"> => ({
  op: "create-file",
  file: "src/created.ts",
  block: "export const created = true;\n",
  ...fields,
});

export const aDeleteFile = (fields: Fields<"delete-file"> = {}): Operation<"delete-file"> => ({
  op: "delete-file",
  file: "src/index.ts",
  ...fields,
});

export const aRenameFile = (fields: Fields<"rename-file"> = {}): Operation<"rename-file"> => ({
  op: "rename-file",
  file: "src/index.ts",
  to: "src/main.ts",
  ...fields,
});

export const aReplaceMarker = (fields: Fields<"replace-marker"> = {}): Operation<"replace-marker"> => ({
  op: "replace-marker",
  file: "src/index.ts",
  marker: "ROUTES",
  block: "export const routes = [];\n",
  ...fields,
});

/** A batch of one `replace-block`, without a batch id: the door mints one. */
export const aBatch = (fields: Partial<PatchBatchInput> = {}): PatchBatchInput => ({
  requester: "test",
  reason: "a test's edit",
  patches: [aReplaceBlock()],
  ...fields,
});

/** A task that may edit everything below `src/`. */
export const aScopedTask = (fields: Partial<ScopedTask> = {}): ScopedTask => ({
  id: "TASK-1",
  type: "generate",
  status: "in_progress",
  allowed: [{ files: "src/**" }],
  ...fields,
});

export const aTasksFile = (fields: Partial<TasksFile> = {}): TasksFile => ({
  version: 1,
  orderId: null,
  tasks: [aScopedTask()],
  ...fields,
});
