-- What decided an assignment: candidates, rules, the parts of each score, the seed.
ALTER TABLE ai_provider_assignments ADD COLUMN decision TEXT CHECK (decision IS NULL OR json_valid(decision));
CREATE INDEX ai_provider_assignments_execution ON ai_provider_assignments (execution_id) WHERE execution_id IS NOT NULL;

ALTER TABLE ai_provider_executions ADD COLUMN workspace_id TEXT NOT NULL DEFAULT 'default';
-- How its last attempt ended.
ALTER TABLE ai_provider_executions ADD COLUMN class TEXT;
ALTER TABLE ai_provider_executions ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ai_provider_executions ADD COLUMN race TEXT CHECK (race IS NULL OR json_valid(race));
ALTER TABLE ai_provider_executions ADD COLUMN created_by TEXT NOT NULL DEFAULT 'system';
ALTER TABLE ai_provider_executions ADD COLUMN hil_request_id TEXT;
ALTER TABLE ai_provider_executions ADD COLUMN cancel_reason TEXT;
CREATE INDEX ai_provider_executions_created ON ai_provider_executions (created_at DESC, execution_id DESC);
CREATE INDEX ai_provider_executions_status ON ai_provider_executions (status, created_at DESC, execution_id DESC);

-- One provider's try at an execution. `execution_id || '.' || attempt` is its run's id at the host and its batch's id.
CREATE TABLE ai_provider_attempts (
  execution_id TEXT NOT NULL REFERENCES ai_provider_executions (execution_id),
  attempt INTEGER NOT NULL CHECK (attempt > 0),
  provider_name TEXT NOT NULL,
  model TEXT,
  status TEXT NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'ended')),
  class TEXT,
  message TEXT,
  error TEXT CHECK (error IS NULL OR json_valid(error)),
  batch_id TEXT,
  external_id TEXT,
  base_commit TEXT,
  cli_version TEXT,
  -- What a run is made again from: prompt, head, limits. Never a key.
  input TEXT CHECK (input IS NULL OR json_valid(input)),
  -- The change as the provider gave it.
  patch_data TEXT,
  input_tokens INTEGER,
  output_tokens INTEGER,
  cached_tokens INTEGER,
  cost_usd REAL,
  duration_ms INTEGER,
  started_at TEXT NOT NULL,
  finished_at TEXT,
  PRIMARY KEY (execution_id, attempt)
) WITHOUT ROWID;
CREATE INDEX ai_provider_attempts_provider ON ai_provider_attempts (provider_name, started_at DESC);

-- What a run said, redacted, as it came. `seq` is the run's own.
CREATE TABLE ai_execution_output (
  execution_id TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  ts TEXT NOT NULL,
  type TEXT NOT NULL,
  body TEXT NOT NULL CHECK (json_valid(body)),
  PRIMARY KEY (execution_id, attempt, seq)
) WITHOUT ROWID;

-- Messages that no consumer could work off.
CREATE TABLE ai_dead_letters (
  id TEXT PRIMARY KEY,
  queue TEXT NOT NULL,
  message TEXT NOT NULL CHECK (json_valid(message)),
  execution_id TEXT,
  reason TEXT,
  attempts INTEGER NOT NULL DEFAULT 0,
  status TEXT NOT NULL DEFAULT 'dead' CHECK (status IN ('dead', 'redriven', 'discarded')),
  created_at TEXT NOT NULL,
  redriven_at TEXT
) WITHOUT ROWID;
CREATE INDEX ai_dead_letters_status ON ai_dead_letters (status, created_at DESC, id DESC);

-- What waits for a person. Decided once.
CREATE TABLE hil_requests (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('clarification', 'plan-approval', 'failure')),
  status TEXT NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'answered', 'expired', 'cancelled')),
  order_id TEXT,
  task_uuid TEXT,
  execution_id TEXT,
  question TEXT NOT NULL,
  options TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(options)),
  answer TEXT,
  answered_by TEXT,
  created_at TEXT NOT NULL,
  answered_at TEXT,
  expires_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX hil_requests_status ON hil_requests (status, created_at DESC, id DESC);
CREATE INDEX hil_requests_execution ON hil_requests (execution_id) WHERE execution_id IS NOT NULL;
CREATE INDEX hil_requests_order ON hil_requests (order_id, created_at DESC) WHERE order_id IS NOT NULL;
