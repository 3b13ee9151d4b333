import { type CustodyRecord, GENESIS_HASH, type JsonObject } from "@shared/contracts";
import { expect, test } from "vitest";
import { onHilSignal, tellHilSignal } from "../stream/hilSignals.ts";
import { outputHintOf } from "../stream/runOutput.ts";

const told = (event_type: CustodyRecord["event_type"], data: JsonObject): CustodyRecord => ({
  v: 1,
  workspace_id: "w",
  seq: 1,
  prev_hash: GENESIS_HASH,
  kind: "phase",
  event_type,
  ts: "2026-01-01T00:00:00.000Z",
  actor: "system:queue",
  batch_id: null,
  order_id: "ORD-1",
  project_id: null,
  patch_id: null,
  file: null,
  op: null,
  task_id: null,
  ts_check_ok: null,
  diff_path: null,
  log: null,
  meta: { phase: "ai-execution", data },
  hash: GENESIS_HASH,
});

test("a run's message says how far its output can be read; a factory's own is no such message", () => {
  const data = { execution_id: "E-1", attempt: 2, provider: "codex", from_seq: 5, seq: 9, text: "…" };
  expect(outputHintOf(told("terminal_output", data))).toEqual({ executionId: "E-1", attempt: 2, seq: 9 });
  expect(outputHintOf(told("command_executing", { ...data, command: "ls" }))).not.toBeNull();
  expect(outputHintOf(told("terminal_output", { text: "of a factory" }))).toBeNull();
  expect(outputHintOf(told("terminal_output", { ...data, seq: "9" }))).toBeNull();
});

test("what is asked of people, or decided, is told to who listens, and nothing else is", () => {
  let heard = 0;
  const stop = onHilSignal(() => (heard += 1));
  tellHilSignal(told("conversation_state", { hil: { id: "q", kind: "clarification", status: "open" } }));
  tellHilSignal(told("conversation_state", { of: "a factory" }));
  tellHilSignal(told("terminal_output", { hil: { id: "q", status: "open" } }));
  expect(heard).toBe(1);
  stop();
  tellHilSignal(told("conversation_state", { hil: { id: "q", status: "answered" } }));
  expect(heard).toBe(1);
});
