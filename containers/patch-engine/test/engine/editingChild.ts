import { openEngine } from "../../index.ts";

/** Adds lines to a shared file and makes one of its own, one batch each; says "ready", and begins when told to. */
const [root = "", name = "", count = "0"] = process.argv.slice(2);
process.stdout.write("ready\n");
await new Promise((resolve) => process.stdin.once("data", resolve));
const opened = await openEngine({ root, workspaceId: "test" });
if (!opened.ok) throw new Error(opened.error.message);
for (let at = 0; at < Number(count); at++) {
  const patches = [
    { op: "append", file: "shared.txt", block: `${name} ${at}` },
    { op: at === 0 ? "create-file" : "append", file: `own/${name}.txt`, block: `${at}\n` },
  ];
  const answer = await opened.engine.apply({ batch: { batchId: `${name}-${at}`, patches }, door: "patchctl" });
  if (answer.error) throw new Error(`${answer.error.code}: ${answer.error.message}`);
}
await opened.engine.close();
process.stdin.destroy();
