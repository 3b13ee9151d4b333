-- Attempts of CI runs after the first that failed, until their logs are read. Runs are listed by when they were created,
-- which a run that is run again keeps.
CREATE TABLE ops_rerun_requests (
  repository TEXT NOT NULL COLLATE NOCASE,
  run_id INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  asked_at TEXT NOT NULL,
  -- When it was asked for, or last tried: who was tried last comes last.
  due_at TEXT NOT NULL,
  PRIMARY KEY (repository, run_id, attempt)
) WITHOUT ROWID;
CREATE INDEX ops_rerun_requests_due ON ops_rerun_requests (due_at);
CREATE INDEX ops_rerun_requests_asked ON ops_rerun_requests (asked_at);
