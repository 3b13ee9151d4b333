import type { ErrorCode, GateName, PolicyFile } from "@shared/contracts";
import { withCredentials } from "../../corpus/credentials.ts";

/** A workspace in which every gate has something to object to. */
export const HARMED_FILES: Readonly<Record<string, string>> = {
  "guarded.txt": "1\n2 @guard START keep\n3\n4 @guard END keep\n5\n",
  "ten.txt": "line\n".repeat(10),
  "code.py": "def run(jobs):\n    for job in jobs:\n        job.run()\n    return len(jobs)\n",
  "tsconfig.json": JSON.stringify({ compilerOptions: { strict: true, noEmit: true, types: [] }, include: ["src"] }),
  "src/add.ts": "export const add = (a: number, b: number): number => a + b;\n",
};

export interface Harm {
  gate: GateName;
  code: ErrorCode;
  /** To which this gate objects and no other. */
  patches: object[];
  /** What the policy must say beside levels for the gate to have a measure. */
  policy?: Partial<PolicyFile>;
}

const replace = (file: string, start: number, end: number, block: string) => ({
  op: "replace-block",
  file,
  start,
  end,
  block,
});

/** For each gate a batch that it alone objects to. */
export const HARMS: readonly Harm[] = [
  { gate: "guardedRegions", code: "GUARDED_REGION", patches: [replace("guarded.txt", 3, 3, "x")] },
  {
    gate: "changeLimit",
    code: "CHANGE_LIMIT_EXCEEDED",
    patches: [replace("ten.txt", 1, 9, "x")],
    policy: { maxChangedPercent: 50 },
  },
  { gate: "omission", code: "OMISSION_FOUND", patches: [replace("code.py", 2, 4, "    # ... existing code ...")] },
  {
    gate: "secrets",
    code: "SECRET_FOUND",
    patches: [{ op: "append", file: "ten.txt", block: withCredentials("{{github-token}}", "harm") }],
  },
  { gate: "syntax", code: "SYNTAX_ERROR", patches: [{ op: "create-file", file: "broken.js", block: "let x = ;\n" }] },
  {
    gate: "types",
    code: "TYPE_ERROR",
    patches: [{ op: "append", file: "src/add.ts", block: "export const two: string = 2;" }],
  },
];
