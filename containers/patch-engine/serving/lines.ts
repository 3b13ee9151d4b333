import { once } from "node:events";
import { type EngineAnswer, MAX_BATCH_BYTES, type VibeError } from "@shared/contracts";
import { readBatchText, tooLarge } from "../cli/batchInput.ts";
import type { Engine } from "../index.ts";

export interface LineService {
  engine: Engine;
  /** What `blockFile`s are relative to. */
  cwd: string;
  /** Called after each batch that changed something. */
  applied: () => void;
}

/** An answer to one line; `line` counts from 1. */
export type LineAnswer = { line: number; ok: boolean; error?: VibeError } & Partial<
  Pick<EngineAnswer, "outcome" | "head">
>;

/**
 * Reads batches, one JSON object a line, and writes one JSON answer a line, in order: `{line, ok, outcome, head}` or
 * `{line, ok: false, error, …}`. A line that is no batch gets an error like any other refusal, and the next is read; one
 * over the size of a batch is passed over without being held. Blank lines get no answer. `dryRun` in a batch simulates.
 * Ends with the input, or rejects where the answers can no longer be written.
 */
export async function serveLines(
  input: AsyncIterable<Uint8Array>,
  output: NodeJS.WritableStream,
  { engine, cwd, applied }: LineService,
): Promise<void> {
  let line = 0;
  for await (const text of linesOf(input, MAX_BATCH_BYTES)) {
    line += 1;
    if (text !== null && text.trim() === "") continue;
    const read = text === null ? tooLarge() : readBatchText(text, cwd);
    let answer: LineAnswer;
    if (read.ok) {
      const { ok, error, outcome, head } = await engine.apply({ batch: read.batch, door: "patchctl" });
      answer = { line, ok, ...(error && { error }), outcome, head };
      if (ok && outcome?.status === "applied") applied();
    } else {
      answer = { line, ok: false, error: read.error };
    }
    if (!output.write(`${JSON.stringify(answer)}\n`)) await once(output, "drain");
  }
}

/** The lines of a stream without their LF; null for one of more than `limit` bytes, which is never held whole. */
async function* linesOf(input: AsyncIterable<Uint8Array>, limit: number): AsyncGenerator<string | null> {
  let held: Uint8Array[] = [];
  let size = 0;
  const take = (): string | null => {
    const text = size > limit ? null : Buffer.concat(held).toString("utf8");
    held = [];
    size = 0;
    return text;
  };
  for await (const chunk of input) {
    let from = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      hold(chunk.subarray(from, end));
      yield take();
      from = end + 1;
    }
    hold(chunk.subarray(from));
  }
  if (size > 0) yield take();

  function hold(part: Uint8Array): void {
    size += part.length;
    if (size > limit) held = [];
    else held.push(part);
  }
}
