import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AgentRunInfoSchema } from "@shared/contracts";
import { z } from "zod";

const ProcessSchema = z.object({ pid: z.number().int(), startTime: z.string() });

/** `record.json` of a run: what the next start of the host knows of it. Neither key nor prompt is in it. */
const RunRecordSchema = z.object({
  v: z.literal(1),
  info: AgentRunInfoSchema,
  /** The first process, while there may be any. */
  leader: ProcessSchema.nullable(),
  /** The host that carries it out. */
  host: ProcessSchema,
});
export type RunRecord = z.infer<typeof RunRecordSchema>;

const FILE = "record.json";

/** Written whole or not at all. */
export async function writeRecord(directory: string, record: RunRecord): Promise<void> {
  const path = join(directory, FILE);
  await writeFile(`${path}.tmp`, JSON.stringify(record), { mode: 0o600 });
  await rename(`${path}.tmp`, path);
}

/** Null where there is none that can be read: the host died before it wrote one. */
export async function readRecord(directory: string): Promise<RunRecord | null> {
  let text: string;
  try {
    text = await readFile(join(directory, FILE), "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
  try {
    const parsed = RunRecordSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
