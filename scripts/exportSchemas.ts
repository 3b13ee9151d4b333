/**
 * Writes the JSON Schemas that agents are given to `docs/schemas/`, from the zod schemas that check what they send.
 * `--check` writes nothing and exits 1 where a file has drifted.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  PatchBatchSchema,
  PatchEventSchema,
  PatchOperationSchema,
  PhaseImplementationSchema,
  VibeErrorSchema,
} from "@shared/contracts";
import { z } from "zod";

const folder = join(import.meta.dirname, "../docs/schemas");

const schemas: Record<string, { schema: z.ZodType; title: string; description: string }> = {
  "patchBatch.schema.json": {
    schema: PatchBatchSchema,
    title: "PatchBatch",
    description: "Patches applied together or not at all. What POST /api/patches/apply and `patchctl apply` take.",
  },
  "patchOperation.schema.json": {
    schema: PatchOperationSchema,
    title: "PatchOperation",
    description: "One edit of one file. Lines are 1-based and inclusive.",
  },
  "patchEvent.schema.json": {
    schema: PatchEventSchema,
    title: "PatchEvent",
    description: "One step in a patch's life.",
  },
  "phaseImplementation.schema.json": {
    schema: PhaseImplementationSchema,
    title: "PhaseImplementation",
    description: "The generated files of one phase, which a factory turns into patches.",
  },
  "error.schema.json": {
    schema: VibeErrorSchema,
    title: "Error",
    description: "Why something was refused, with all that is needed to correct it in one turn.",
  },
};

const check = process.argv.includes("--check");
await mkdir(folder, { recursive: true });
const drifted: string[] = [];
for (const [name, { schema, title, description }] of Object.entries(schemas)) {
  const path = join(folder, name);
  const document = { ...z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }), title, description };
  const text = `${JSON.stringify(document, null, 2)}\n`;
  if (!check) await writeFile(path, text);
  else if ((await readFile(path, "utf8").catch(() => "")) !== text) drifted.push(name);
}
if (drifted.length > 0) {
  console.error(
    `docs/schemas has drifted from @shared/contracts: ${drifted.join(", ")}. Run: node scripts/exportSchemas.ts`,
  );
  process.exitCode = 1;
}
