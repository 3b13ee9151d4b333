-- The patch loop's read side. A workspace's Durable Object holds the truth: rows here are delivered from its events,
-- each delivery one batch guarded by the workspace's row in workspace_cursors, and can be rebuilt from them.

-- One row a step in a patch's life. Together the columns hold every field of the event as it was hashed.
CREATE TABLE patch_events (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  patch_id TEXT NOT NULL,
  task_id TEXT,
  file_path TEXT NOT NULL,
  op TEXT NOT NULL,
  -- 1, 0, or null where no type check ran.
  ts_check_ok INTEGER DEFAULT NULL CHECK (ts_check_ok IN (0, 1)),
  diff_path TEXT,
  -- RFC 8785 text of the event's meta: requester, reason, error and what else applies.
  meta TEXT,
  -- When it happened: ISO 8601, UTC, milliseconds.
  created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  workspace_id TEXT NOT NULL,
  -- The event's place in the workspace's chain. Phase messages have places too, so these have gaps here.
  seq INTEGER NOT NULL,
  batch_id TEXT,
  event_type TEXT NOT NULL,
  order_id TEXT,
  project_id TEXT,
  -- Who called, as the door established it; requester is what the caller calls itself.
  actor TEXT NOT NULL,
  requester TEXT,
  reason TEXT,
  phase TEXT,
  provider TEXT,
  model TEXT,
  error_code TEXT,
  lines_added INTEGER,
  lines_removed INTEGER,
  -- The engine's log entry an applied or reverted event stands on.
  log_seq INTEGER,
  log_hash TEXT,
  tree_after TEXT,
  prev_hash TEXT NOT NULL,
  hash TEXT NOT NULL,
  UNIQUE (workspace_id, seq)
);
-- The log is read by time, newest or oldest first, alone or with one of these filters.
CREATE INDEX patch_events_by_time ON patch_events (created_at);
CREATE INDEX patch_events_by_task ON patch_events (task_id, created_at);
CREATE INDEX patch_events_by_order ON patch_events (order_id, created_at);
CREATE INDEX patch_events_by_requester ON patch_events (requester, created_at);
CREATE INDEX patch_events_by_op ON patch_events (op, created_at);
CREATE INDEX patch_events_by_type ON patch_events (event_type, created_at);
-- A patch's life, in order; also what the rollups are recomputed from.
CREATE INDEX patch_events_by_patch ON patch_events (patch_id, workspace_id, seq);
CREATE INDEX patch_events_by_batch ON patch_events (batch_id, workspace_id);

CREATE VIEW v_patch_activity AS
SELECT
  pe.id,
  pe.patch_id,
  pe.task_id,
  pe.file_path,
  pe.op,
  pe.created_at,
  json_extract(pe.meta, '$.requester') AS requester,
  json_extract(pe.meta, '$.reason') AS reason,
  json_extract(pe.meta, '$.error') AS error
FROM patch_events pe
ORDER BY pe.created_at DESC;

-- Substring search for texts of three and more characters. Triggers keep it, so whatever writes patch_events cannot forget.
CREATE VIRTUAL TABLE patch_events_search USING fts5 (
  file_path, op, patch_id, meta,
  content = 'patch_events', content_rowid = 'id', tokenize = 'trigram'
);
CREATE TRIGGER patch_events_search_insert AFTER INSERT ON patch_events BEGIN
  INSERT INTO patch_events_search (rowid, file_path, op, patch_id, meta)
  VALUES (new.id, new.file_path, new.op, new.patch_id, new.meta);
END;
CREATE TRIGGER patch_events_search_delete AFTER DELETE ON patch_events BEGIN
  INSERT INTO patch_events_search (patch_events_search, rowid, file_path, op, patch_id, meta)
  VALUES ('delete', old.id, old.file_path, old.op, old.patch_id, old.meta);
END;
CREATE TRIGGER patch_events_search_update AFTER UPDATE ON patch_events BEGIN
  INSERT INTO patch_events_search (patch_events_search, rowid, file_path, op, patch_id, meta)
  VALUES ('delete', old.id, old.file_path, old.op, old.patch_id, old.meta);
  INSERT INTO patch_events_search (rowid, file_path, op, patch_id, meta)
  VALUES (new.id, new.file_path, new.op, new.patch_id, new.meta);
END;

-- The whole chain of a workspace, patch events and phase messages, without gaps.
CREATE TABLE patch_custody (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  -- Null for a phase message.
  patch_id TEXT,
  -- Who caused it: the factory, token or engine that called.
  factory TEXT,
  event_type TEXT,
  message TEXT,
  ts TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  workspace_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('patch', 'phase')),
  batch_id TEXT,
  order_id TEXT,
  project_id TEXT,
  phase TEXT,
  -- RFC 8785 text of a phase message's meta; a patch event's stands in patch_events.
  meta TEXT,
  prev_hash TEXT NOT NULL,
  hash TEXT NOT NULL,
  UNIQUE (workspace_id, seq)
);
CREATE INDEX patch_custody_by_patch ON patch_custody (patch_id);
CREATE INDEX patch_custody_by_order ON patch_custody (order_id, ts);

-- Patches counted by their last word. A patch stands in the cells of its first event (the day it was asked for, who asked,
-- for which order, …) and moves between the columns as its life goes on; an error's cell is that of its last event.
CREATE TABLE patch_rollups (
  -- YYYY-MM-DD, UTC.
  day TEXT NOT NULL,
  dimension TEXT NOT NULL CHECK (
    dimension IN ('all', 'op', 'requester', 'actor', 'order', 'project', 'phase', 'provider', 'model', 'error')
  ),
  -- The dimension's value; '' for 'all'.
  key TEXT NOT NULL,
  patches INTEGER NOT NULL,
  requested INTEGER NOT NULL,
  applied INTEGER NOT NULL,
  validated INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  reverted INTEGER NOT NULL,
  -- Applied or validated, and no type check found an error.
  succeeded INTEGER NOT NULL,
  -- Patches whose last type check passed, and did not.
  type_checked_ok INTEGER NOT NULL,
  type_checked_failed INTEGER NOT NULL,
  -- Of patches that are applied or validated.
  lines_added INTEGER NOT NULL,
  lines_removed INTEGER NOT NULL,
  PRIMARY KEY (dimension, day, key)
) WITHOUT ROWID;

-- How far each workspace's events have been delivered here, and the hash of the last one.
CREATE TABLE workspace_cursors (
  workspace_id TEXT PRIMARY KEY,
  seq INTEGER NOT NULL DEFAULT 0,
  hash TEXT NOT NULL,
  updated_at TEXT NOT NULL
) WITHOUT ROWID;
