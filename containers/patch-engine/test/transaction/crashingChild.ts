import { openEngine } from "../../index.ts";

/** Applies a batch, or several at once, and ends itself, as by a power cut, when the numbered step is reached. */
const [root = "", step = "", given = ""] = process.argv.slice(2);
let passed = 0;
const opened = await openEngine({
  root,
  workspaceId: "test",
  faults: {
    at() {
      if (++passed === Number(step)) process.kill(process.pid, "SIGKILL");
    },
  },
});
if (!opened.ok) throw new Error(opened.error.message);
const parsed: unknown = JSON.parse(given);
const batches: unknown[] = Array.isArray(parsed) ? parsed : [parsed];
const answers = await Promise.all(batches.map((batch) => opened.engine.apply({ batch, door: "patchctl" })));
process.stdout.write(answers.find(({ error }) => error)?.error?.code ?? "applied");
