import { parseSync } from "oxc-parser";
import { planBatch, sha256 } from "../../core/index.ts";
import { PatchBatchSchema } from "@shared/contracts";
import { syntax } from "../../gates/syntax.ts";
import { measure, type Row } from "./measure.ts";

/** The syntax gate on an edited file of 5,000 lines, against a bare parse of the same text. */
export async function measureSyntax(): Promise<Row[]> {
  const path = "src/module.ts";
  const lines = Array.from(
    { length: 5_000 },
    (_, at) => `export function f${at}(a: number, b: string): string { return a > ${at} ? b : \`\${a}\`; }\n`,
  );
  const bytes = Buffer.from(lines.join(""));
  const batch = PatchBatchSchema.parse({
    patches: [{ op: "replace-block", file: path, start: 2_500, end: 2_500, block: "export const replaced = 1;" }],
  });
  const files = new Map([[path, { bytes, sha256: sha256(bytes), mode: "100644" as const }]]);
  const planned = planBatch(batch, files, { mintPatchId: () => "p1" });
  if (!planned.ok) throw new Error("the batch was refused");
  const after = Buffer.from(planned.plan.files[0]?.after ?? "").toString();
  const gate = syntax("fail");
  const timings = await measure(
    [
      { name: "oxc-parser parseSync", run: () => parseSync(path, after).errors },
      { name: "syntax gate", run: () => gate.run({ plan: planned.plan, before: files }) },
    ],
    60,
  );
  const [against, ours] = [...timings.values()];
  if (!ours || !against) throw new Error("nothing was measured");
  return [{ what: "syntax gate, 5,000 lines", ours, against, reach: { slower: 1.3 } }];
}
