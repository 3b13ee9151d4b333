import { openEngine } from "../../index.ts";

/** Applies a batch and ends itself, as by a power cut, when the numbered step is reached; else prints what came of it. */
const [root = "", step = "", batch = ""] = process.argv.slice(2);
let passed = 0;
const opened = await openEngine({
  root,
  workspaceId: "matrix",
  faults: {
    at() {
      if (++passed === Number(step)) process.kill(process.pid, "SIGKILL");
    },
  },
});
if (!opened.ok) throw new Error(opened.error.message);
const answer = await opened.engine.apply({ batch: JSON.parse(batch) as unknown, door: "patchctl" });
process.stdout.write(answer.error?.code ?? "applied");
