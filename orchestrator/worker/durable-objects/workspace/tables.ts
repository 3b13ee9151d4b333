/**
 * What a workspace's object keeps. `events` is the custody chain and the truth of everything delivered elsewhere;
 * `entries` are the engine's log, enough to rebuild the workspace; `intents` are the queue and the idempotency table;
 * `cursors` say how far each sink has got. Long texts stand in `texts`, in rows below the 1 MB a value may have.
 */
export const TABLES = `
  CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS intents (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    batch_id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    payload_hash TEXT NOT NULL,
    actor TEXT,
    state TEXT NOT NULL,
    entry_seq INTEGER
  );
  CREATE INDEX IF NOT EXISTS intents_by_state ON intents (state, position);
  CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY,
    patch_id TEXT,
    batch_id TEXT,
    order_id TEXT,
    project_id TEXT,
    body TEXT NOT NULL,
    hash TEXT NOT NULL
  );
  CREATE INDEX IF NOT EXISTS events_by_patch ON events (patch_id, seq);
  CREATE INDEX IF NOT EXISTS events_by_batch ON events (batch_id, seq);
  CREATE INDEX IF NOT EXISTS events_by_order ON events (order_id, seq);
  CREATE INDEX IF NOT EXISTS events_by_project ON events (project_id, seq);
  CREATE TABLE IF NOT EXISTS entries (seq INTEGER PRIMARY KEY, batch_id TEXT NOT NULL, hash TEXT NOT NULL);
  CREATE INDEX IF NOT EXISTS entries_by_batch ON entries (batch_id);
  CREATE TABLE IF NOT EXISTS reported (key TEXT PRIMARY KEY) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS cursors (
    sink TEXT PRIMARY KEY,
    seq INTEGER NOT NULL,
    target INTEGER NOT NULL,
    failures INTEGER NOT NULL DEFAULT 0,
    retry_at INTEGER NOT NULL DEFAULT 0
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS texts (
    owner TEXT NOT NULL, part INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY (owner, part)
  ) WITHOUT ROWID;
`;
