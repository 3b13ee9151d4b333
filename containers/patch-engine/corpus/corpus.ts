import { readFileSync } from "node:fs";
import { z } from "zod";
import { pathsOf, planBatch, sha256, type FileSnapshot, type Plan } from "../core/index.ts";
import type { Gate } from "../gates/gate.ts";
import { omission } from "../gates/omission.ts";
import { secrets } from "../gates/secrets.ts";
import { PatchBatchSchema } from "@shared/contracts";
import { assemble } from "./fakes.ts";

/**
 * The corpus that measures the omission and secrets gates: changes of a file, each with whether the gate must object.
 * The rules were written looking at the tuned set alone; the held-out set was written before it was first measured.
 */
export const SETS = ["tuned", "held-out"] as const;
export type CorpusSet = (typeof SETS)[number];
export const GATES = ["omission", "secrets"] as const;
export type CorpusGate = (typeof GATES)[number];

const BaseSchema = z.object({ id: z.string(), file: z.string(), text: z.string() });
const CaseSchema = z.object({
  id: z.string(),
  language: z.string(),
  /** What shape it has. */
  kind: z.string(),
  /** Whether the gate must object. */
  expect: z.boolean(),
  base: z.string(),
  /** 1-based lines of the base that `block` replaces; an insertion before `start` where `end` is one less. */
  start: z.number().int().positive(),
  end: z.number().int().nonnegative(),
  /** In the secrets corpus with `{{format}}` where a credential is made at loading: see `assemble`. */
  block: z.string(),
});
export type CorpusCase = z.infer<typeof CaseSchema> & { set: CorpusSet; file: string; text: string };

const rowsOf = <T>(path: string, schema: z.ZodType<T>): T[] =>
  readFileSync(new URL(path, import.meta.url), "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => schema.parse(JSON.parse(line)));

/** All cases of a gate. */
export function casesOf(gate: CorpusGate): CorpusCase[] {
  const bases = new Map(rowsOf(`./${gate}/bases.jsonl`, BaseSchema).map((base) => [base.id, base]));
  return SETS.flatMap((set) =>
    rowsOf(`./${gate}/${set}.jsonl`, CaseSchema).map((row): CorpusCase => {
      const base = bases.get(row.base);
      if (!base) throw new Error(`${row.id} names no base`);
      const block = gate === "secrets" ? assemble(row.block, row.id) : row.block;
      return { ...row, block, set, file: base.file, text: base.text };
    }),
  );
}

/** Whether the gate objects to a case. The change goes through the planner as a batch does. */
export async function objects(gate: CorpusGate, row: CorpusCase): Promise<boolean> {
  const objections = await GATE[gate].run({ plan: planOf(row), before: filesOf(row) });
  return objections !== null && objections.length > 0;
}

const GATE: Readonly<Record<CorpusGate, Gate>> = { omission: omission("fail"), secrets: secrets("fail") };

function filesOf({ file, text }: CorpusCase): Map<string, FileSnapshot | null> {
  const bytes = Buffer.from(text);
  return new Map([[file, { bytes, sha256: sha256(bytes), mode: "100644" }]]);
}

function planOf(row: CorpusCase): Plan {
  const { file, start, end, block } = row;
  const patch =
    end < start
      ? { op: "insert-before", file, line: start, block }
      : { op: "replace-block", file, start, end, block };
  const batch = PatchBatchSchema.parse({ patches: [patch] });
  const files = filesOf(row);
  for (const path of pathsOf(batch)) if (!files.has(path)) files.set(path, null);
  const planned = planBatch(batch, files, { mintPatchId: () => row.id });
  if (!planned.ok) throw new Error(`${row.id}: ${planned.error.message}`);
  return planned.plan;
}

export interface Score {
  language: string;
  harmful: number;
  found: number;
  innocent: number;
  alarms: number;
}

/** Counts of what was found and what was alarmed at, by a property of the cases. */
export async function score(gate: CorpusGate, rows: readonly CorpusCase[]): Promise<{ wrong: CorpusCase[]; total: Score; byLanguage: Score[]; byKind: Score[] }> {
  const empty = (language: string): Score => ({ language, harmful: 0, found: 0, innocent: 0, alarms: 0 });
  const total = empty("all");
  const byLanguage = new Map<string, Score>();
  const byKind = new Map<string, Score>();
  const wrong: CorpusCase[] = [];
  const entry = (map: Map<string, Score>, key: string): Score => {
    const known = map.get(key) ?? empty(key);
    map.set(key, known);
    return known;
  };
  for (const row of rows) {
    const objected = await objects(gate, row);
    if (objected !== row.expect) wrong.push(row);
    for (const counts of [total, entry(byLanguage, row.language), entry(byKind, row.kind)]) {
      if (row.expect) {
        counts.harmful++;
        if (objected) counts.found++;
      } else {
        counts.innocent++;
        if (objected) counts.alarms++;
      }
    }
  }
  return { wrong, total, byLanguage: [...byLanguage.values()], byKind: [...byKind.values()] };
}
