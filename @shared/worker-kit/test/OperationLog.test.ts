import { fail, type LoggingOpsRpc, type OperationEntryInput } from "@shared/contracts";
import { expect, test } from "vitest";
import { createLogger } from "../logger.ts";
import { OperationLog } from "../OperationLog.ts";

const said: string[] = [];
const logger = createLogger({ write: (_, line) => said.push(line) });
const entry = (index: number): OperationEntryInput => ({ operation: "test.line", message: `line ${index}` });

test("lines are sent together and in order, a hundred at once, and each once", async () => {
  const batches: string[][] = [];
  const binding: LoggingOpsRpc = {
    write: async ({ entries }) => {
      batches.push(entries.map(({ message }) => message));
      return { ok: true, written: entries.length, dropped: 0 };
    },
  };
  const log = new OperationLog(binding, logger);
  for (let index = 0; index < 250; index += 1) log.add(entry(index));
  await Promise.all([log.flush(), log.flush()]);
  expect(batches.map(({ length }) => length)).toEqual([100, 100, 50]);
  expect(batches.flat()).toEqual(Array.from({ length: 250 }, (_, index) => `line ${index}`));
});

test("no work fails for its log: not for a refusal, an error, lines that were dropped, or no binding at all", async () => {
  const bindings: (LoggingOpsRpc | undefined)[] = [
    undefined,
    { write: async () => fail("DATABASE_UNAVAILABLE", "away") },
    { write: async () => Promise.reject(new Error("the binding broke")) },
    { write: async () => ({ ok: true, written: 0, dropped: 1 }) },
  ];
  said.length = 0;
  for (const binding of bindings) {
    const log = new OperationLog(binding, logger);
    log.add(entry(1));
    await log.flush();
  }
  expect(said).toHaveLength(3);
});
