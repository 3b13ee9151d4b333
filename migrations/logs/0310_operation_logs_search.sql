ALTER TABLE operation_logs ADD COLUMN outcome TEXT;
ALTER TABLE operation_logs ADD COLUMN workspace_id TEXT;

DROP INDEX operation_logs_operation;
DROP INDEX operation_logs_order;
DROP INDEX operation_logs_task;
CREATE INDEX operation_logs_ts ON operation_logs (ts DESC, id DESC);
CREATE INDEX operation_logs_source ON operation_logs (source, ts DESC, id DESC);
CREATE INDEX operation_logs_operation ON operation_logs (operation, ts DESC, id DESC);
CREATE INDEX operation_logs_level ON operation_logs (level, ts DESC, id DESC);
-- Warnings and errors together, in their order, among however many other lines. The plus keeps the query that goes by it
-- from the index of single levels, whose lines would have to be sorted.
CREATE INDEX operation_logs_loud ON operation_logs (ts DESC, id DESC) WHERE +level IN ('warn', 'error');
CREATE INDEX operation_logs_order ON operation_logs (order_id, ts DESC, id DESC) WHERE order_id IS NOT NULL;
CREATE INDEX operation_logs_task ON operation_logs (task_id, ts DESC, id DESC) WHERE task_id IS NOT NULL;
CREATE INDEX operation_logs_patch ON operation_logs (patch_id, ts DESC, id DESC) WHERE patch_id IS NOT NULL;
CREATE INDEX operation_logs_request ON operation_logs (request_id, ts DESC, id DESC) WHERE request_id IS NOT NULL;
CREATE INDEX operation_logs_workspace ON operation_logs (workspace_id, ts DESC, id DESC) WHERE workspace_id IS NOT NULL;

-- Substring search for texts of three and more characters, kept by triggers, as patch_events_search is.
CREATE VIRTUAL TABLE operation_logs_search USING fts5 (
  operation, message, meta,
  content = 'operation_logs', content_rowid = 'id', tokenize = 'trigram'
);
INSERT INTO operation_logs_search (operation_logs_search) VALUES ('rebuild');
CREATE TRIGGER operation_logs_search_insert AFTER INSERT ON operation_logs BEGIN
  INSERT INTO operation_logs_search (rowid, operation, message, meta)
  VALUES (new.id, new.operation, new.message, new.meta);
END;
CREATE TRIGGER operation_logs_search_delete AFTER DELETE ON operation_logs BEGIN
  INSERT INTO operation_logs_search (operation_logs_search, rowid, operation, message, meta)
  VALUES ('delete', old.id, old.operation, old.message, old.meta);
END;

-- How many lines a source has written in a minute, and how many were dropped because it may write no more.
CREATE TABLE log_rates (
  source TEXT NOT NULL,
  -- YYYY-MM-DDTHH:MM, UTC.
  minute TEXT NOT NULL,
  written INTEGER NOT NULL,
  dropped INTEGER NOT NULL,
  PRIMARY KEY (source, minute)
) WITHOUT ROWID;
CREATE INDEX log_rates_minute ON log_rates (minute);

-- The lines of the table of schedules, since when each is watched, and up to when it is known what became of its runs.
CREATE TABLE schedules (
  name TEXT PRIMARY KEY,
  cron TEXT NOT NULL,
  since TEXT NOT NULL,
  accounted_until TEXT NOT NULL
) WITHOUT ROWID;

-- One row a run, by the minute it was due.
CREATE TABLE scheduled_runs (
  schedule TEXT NOT NULL,
  due_at TEXT NOT NULL,
  started_at TEXT,
  -- When it counts as stuck.
  deadline TEXT,
  ended_at TEXT,
  outcome TEXT NOT NULL CHECK (outcome IN ('running', 'ok', 'failed', 'stuck', 'missed', 'skipped')),
  message TEXT,
  PRIMARY KEY (schedule, due_at)
) WITHOUT ROWID;
CREATE INDEX scheduled_runs_running ON scheduled_runs (deadline) WHERE outcome = 'running';
CREATE INDEX scheduled_runs_due ON scheduled_runs (due_at);
