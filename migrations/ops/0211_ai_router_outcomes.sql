-- How attempts at tasks ended: what the router learns from. One row an attempt, however often it is told.
CREATE TABLE ai_router_outcomes (
  execution_id TEXT NOT NULL,
  attempt INTEGER NOT NULL CHECK (attempt > 0),
  task_type TEXT NOT NULL,
  language TEXT NOT NULL,
  provider_name TEXT NOT NULL,
  model TEXT NOT NULL,
  class TEXT NOT NULL,
  batch_id TEXT NOT NULL,
  -- How much of a success it was, 0 to 1, and how much it counts; null: not worked out yet.
  reward REAL,
  weight REAL,
  cost_usd REAL,
  at TEXT NOT NULL,
  -- Whether its batch's events have said something since `reward` was worked out.
  stale INTEGER NOT NULL DEFAULT 1 CHECK (stale IN (0, 1)),
  PRIMARY KEY (execution_id, attempt)
) WITHOUT ROWID;
CREATE INDEX ai_router_outcomes_recent ON ai_router_outcomes (at DESC);
CREATE INDEX ai_router_outcomes_stale ON ai_router_outcomes (at) WHERE stale = 1;
CREATE INDEX ai_router_outcomes_batch ON ai_router_outcomes (batch_id);

-- A later word on a patch is a later word on the attempt that made it: the batch of the patch's first event.
CREATE TRIGGER ai_router_outcomes_corrected AFTER INSERT ON patch_events
WHEN new.event_type IN ('patch_applied', 'patch_validated', 'patch_reverted') BEGIN
  UPDATE ai_router_outcomes SET stale = 1
  WHERE stale = 0 AND batch_id = (
    SELECT f.batch_id FROM patch_events AS f
    WHERE f.patch_id = new.patch_id AND f.workspace_id = new.workspace_id ORDER BY f.seq LIMIT 1
  );
END;
