import path from "node:path";
import { type CustodyRecord, GENESIS_HASH } from "@shared/contracts";
import { createTestHarness } from "wrangler";

const root = path.resolve(import.meta.dirname, "../../..");
export const TOKEN = "the-token-of-the-hub-tests";

/** The orchestrator in a runtime of its own, reached over real sockets. */
export interface HubStack {
  url: string;
  deliver(records: CustodyRecord[]): Promise<number>;
  call(path: string, body?: unknown): Promise<Response>;
  /** Ends the runtime, with every object in it, and starts another on the same storage. Answers with its address. */
  restart(): Promise<string>;
  stop(): Promise<void>;
}

export async function startHub(): Promise<HubStack> {
  const options = (run: number) => ({
    root,
    workers: [
      {
        config: {
          name: "hub",
          main: "orchestrator/test/system/hubWorker.ts",
          compatibility_date: "2026-10-30",
          compatibility_flags: ["nodejs_compat"],
          durable_objects: {
            bindings: [
              { name: "EVENT_HUB", class_name: "EventHub" },
              { name: "BARE_ROOM", class_name: "BareRoom" },
            ],
          },
          migrations: [{ tag: "v1", new_sqlite_classes: ["EventHub", "BareRoom"] }],
          d1_databases: ["ops", "logs", "projects", "chats", "health"].map((name) => ({
            binding: `DB_${name.toUpperCase()}`,
            database_name: name,
            database_id: name,
          })),
          vars: {
            RUN: run,
            INSTANCE: "hub",
            ALLOWED_ORIGINS: "",
            BOOTSTRAP_TOKEN: TOKEN,
            SESSION_SECRET: "the-secret-of-the-hub-tests",
            ENGINE_TOKEN: "",
            ACCESS_TEAM_DOMAIN: "",
            ACCESS_AUDIENCE: "",
            ACCESS_SCOPES: "",
            ACCESS_ADMINS: "",
          },
        },
      },
    ],
  });
  const harness = createTestHarness(options(0));
  let run = 0;
  let url = (await harness.listen()).url.href;
  const call = async (at: string, body?: unknown): Promise<Response> =>
    fetch(new URL(at, url), body === undefined ? {} : { method: "POST", body: JSON.stringify(body) });
  return {
    get url() {
      return url;
    },
    call,
    async deliver(records) {
      const answer: unknown = await (await call("/test/deliver", records)).json();
      if (typeof answer !== "object" || answer === null || !("seq" in answer)) throw new Error("no seq");
      return Number(answer.seq);
    },
    async restart() {
      run += 1;
      await harness.update(options(run));
      url = (await harness.listen()).url.href;
      return url;
    },
    stop: () => harness.close(),
  };
}

/** The nth record of a workspace; they go round ten files. */
export const FILES = 10;
export const record = (seq: number): CustodyRecord => ({
  v: 1,
  workspace_id: "default",
  seq,
  prev_hash: GENESIS_HASH,
  kind: "patch",
  event_type: "patch_applied",
  ts: "2026-01-01T00:00:00.000Z",
  actor: "token:agent",
  batch_id: "b-1",
  order_id: "ORD-1",
  project_id: null,
  patch_id: `p-${seq}`,
  file: `src/${seq % FILES}.ts`,
  op: "replace-block",
  task_id: "t-1",
  ts_check_ok: true,
  diff_path: `.mission_control/patches/p-${seq}.diff`,
  log: null,
  meta: { requester: "agent", start: 10, end: 12, reason: "as the task says" },
  hash: GENESIS_HASH,
});
