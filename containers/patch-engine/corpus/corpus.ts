import { readdirSync, readFileSync } from "node:fs";
import { z } from "zod";
import { PatchBatchSchema } from "@shared/contracts";
import { pathsOf, planBatch, sha256, type FileSnapshot, type Plan } from "../core/index.ts";
import type { Gate } from "../gates/gate.ts";
import { omission } from "../gates/omission.ts";
import { secrets } from "../gates/secrets.ts";
import { withCredentials } from "./credentials.ts";

/**
 * The corpus that measures the omission and secrets gates: changes of a file, each with whether its gate must object.
 * README.md beside this file tells the format and what keeps the held-out set honest.
 */
export const SETS = ["tuned", "held-out"] as const;
type CorpusSet = (typeof SETS)[number];
export const GATES = ["omission", "secrets"] as const;
export type CorpusGate = (typeof GATES)[number];

/** Where a change is made: whole lines of a base, 1-based and inclusive; before a line of it; or a file of its own. */
type Place = { start: number; end: number } | { before: number } | { path: string };

export interface Change {
  /** `omission/tuned/comments-for-code ts-01`. */
  name: string;
  gate: CorpusGate;
  set: CorpusSet;
  /** The shape it has: the name of the file it stands in. */
  family: string;
  /** Whether its gate must object. */
  harmful: boolean;
  file: string;
  /** The file before; null where the change makes it. */
  text: string | null;
  place: Place;
  block: string;
}

const BaseHeader = z.tuple([z.string(), z.string()]);
const Verdict = z.enum(["refuse", "pass"]);
const ChangeHeader = z.union([
  z.tuple([z.string(), Verdict, z.literal("new"), z.string()]),
  z.tuple([z.string(), Verdict, z.string(), z.literal("before"), z.coerce.number().int().positive()]),
  z.tuple([z.string(), Verdict, z.string(), z.string().regex(/^\d+-\d+$/u)]),
]);

/** Parts of a file of the corpus: a line `=== word word …`, and what stands below it. */
function partsOf(path: string): { words: string[]; body: string }[] {
  const text = readFileSync(new URL(path, import.meta.url), "utf8");
  return text
    .split(/^=== /mu)
    .slice(1)
    .map((part) => {
      const end = part.indexOf("\n");
      return { words: part.slice(0, end).split(" "), body: part.slice(end + 1) };
    });
}

/** All changes of a gate's corpus. */
export function changesOf(gate: CorpusGate): Change[] {
  const bases = new Map(
    partsOf("./bases.txt").map(({ words, body }) => {
      const [id, file] = BaseHeader.parse(words);
      return [id, { file, text: body }] as const;
    }),
  );
  return SETS.flatMap((set) =>
    readdirSync(new URL(`./${gate}/${set}/`, import.meta.url))
      .filter((name) => name.endsWith(".txt"))
      .toSorted()
      .flatMap((name) =>
        partsOf(`./${gate}/${set}/${name}`).map(({ words, body }): Change => {
          const family = name.slice(0, -".txt".length);
          const [id, verdict, where, at, line] = ChangeHeader.parse(words);
          const change = {
            name: `${gate}/${set}/${family} ${id}`,
            gate,
            set,
            family,
            harmful: verdict === "refuse",
            block: withCredentials(body, `${gate} ${id}`),
          };
          if (where === "new") return { ...change, file: at, text: null, place: { path: at } };
          const base = bases.get(where);
          if (!base) throw new Error(`${change.name} names no base`);
          const [start = 0, end = 0] = at.split("-").map(Number);
          return { ...change, ...base, place: line === undefined ? { start, end } : { before: line } };
        }),
      ),
  );
}

const GATE: Readonly<Record<CorpusGate, Gate>> = { omission: omission("fail"), secrets: secrets("fail") };

/** Whether a gate objects to a change. The change goes through the planner as a batch does. */
async function objects(gate: CorpusGate, change: Change): Promise<boolean> {
  const objections = await GATE[gate].run({ plan: planOf(change), before: filesOf(change) });
  return objections !== null && objections.length > 0;
}

function filesOf({ file, text }: Change): Map<string, FileSnapshot | null> {
  if (text === null) return new Map([[file, null]]);
  const bytes = Buffer.from(text);
  return new Map([[file, { bytes, sha256: sha256(bytes), mode: "100644" }]]);
}

function planOf(change: Change): Plan {
  const { name, file, place, block } = change;
  const patch =
    "path" in place
      ? { op: "create-file", file, block }
      : "before" in place
        ? { op: "insert-before", file, line: place.before, block }
        : { op: "replace-block", file, start: place.start, end: place.end, block };
  const batch = PatchBatchSchema.parse({ patches: [patch] });
  const files = filesOf(change);
  for (const path of pathsOf(batch)) if (!files.has(path)) files.set(path, null);
  const planned = planBatch(batch, files, { mintPatchId: () => "patch" });
  if (!planned.ok) throw new Error(`${name}: ${planned.error.message}`);
  return planned.plan;
}

/** What a gate made of a set of changes. */
export interface Score {
  harmful: number;
  found: number;
  innocent: number;
  alarms: number;
  /** Names of the changes it was wrong about. */
  wrong: string[];
}

/** Lets a gate judge changes. Those of the other gate's corpus are innocent to it. */
export async function score(gate: CorpusGate, changes: readonly Change[]): Promise<Score> {
  const result: Score = { harmful: 0, found: 0, innocent: 0, alarms: 0, wrong: [] };
  for (const change of changes) {
    const harmful = change.gate === gate && change.harmful;
    const objected = await objects(gate, change);
    if (harmful) {
      result.harmful++;
      if (objected) result.found++;
    } else {
      result.innocent++;
      if (objected) result.alarms++;
    }
    if (objected !== harmful) result.wrong.push(change.name);
  }
  return result;
}

/** The share of harmful changes that were found. */
export const recall = ({ found, harmful }: Score): number => found / harmful;

/** The share of innocent changes that were objected to. */
export const alarmRate = ({ alarms, innocent }: Score): number => alarms / innocent;
