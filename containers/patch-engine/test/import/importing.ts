import { PatchBatchSchema, type VibeError } from "@shared/contracts";
import { planBatch } from "../../core/index.ts";
import { importPatches, type Imported, type ImportFormat } from "../../import/index.ts";
import { after, snapshots } from "../core/arbitraries.ts";

export type Files = Record<string, string>;

const imported = (files: Files, text: string, format: ImportFormat | "auto") =>
  importPatches(text, { format, readFile: (path) => ({ ok: true, content: files[path] ?? null }) });

/** What an imported text makes of the files, when its batch is applied. */
export function applied(files: Files, text: string, format: ImportFormat | "auto" = "auto"): Files {
  const { batch } = read(files, text, format);
  return after(files, planBatch(PatchBatchSchema.parse(batch), snapshots(files), { mintPatchId: (i) => `p${i + 1}` }));
}

export function read(files: Files, text: string, format: ImportFormat | "auto" = "auto"): Imported {
  const result = imported(files, text, format);
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.message}`);
  return result.imported;
}

export function refused(files: Files, text: string, format: ImportFormat | "auto" = "auto"): VibeError {
  const result = imported(files, text, format);
  if (result.ok) throw new Error(`not refused: ${JSON.stringify(result.imported)}`);
  return result.error;
}

/** A file with two functions alike, so that a careless search finds the wrong one. */
export const CART = `import { tax } from "./tax";

export function total(items) {
  let sum = 0;
  for (const item of items) {
    sum += item.price;
  }
  return sum;
}

export function count(items) {
  let sum = 0;
  for (const item of items) {
    sum += item.count;
  }
  return sum;
}
`;
