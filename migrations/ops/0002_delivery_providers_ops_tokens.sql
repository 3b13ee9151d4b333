-- Reports of what an order delivered.
CREATE TABLE delivery_reports (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  order_id TEXT NOT NULL,
  report_md TEXT NOT NULL,
  report_json TEXT,
  success_rate REAL,
  total_patches INTEGER,
  created_at TEXT DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX delivery_reports_order ON delivery_reports (order_id, id DESC);

-- Which provider a task was given to.
CREATE TABLE ai_provider_assignments (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  task_uuid TEXT NOT NULL,
  provider_name TEXT NOT NULL,
  provider_type TEXT NOT NULL CHECK (provider_type IN ('jules', 'cli', 'model')),
  status TEXT NOT NULL DEFAULT 'pending'
    CHECK (status IN ('pending', 'assigned', 'running', 'waiting', 'completed', 'failed', 'cancelled')),
  execution_id TEXT,
  order_id TEXT,
  assigned_by TEXT,
  reason TEXT,
  created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX ai_provider_assignments_task ON ai_provider_assignments (task_uuid, id DESC);
CREATE INDEX ai_provider_assignments_status ON ai_provider_assignments (status, id);
-- A task is with one provider at a time.
CREATE UNIQUE INDEX ai_provider_assignments_open ON ai_provider_assignments (task_uuid)
  WHERE status IN ('pending', 'assigned', 'running', 'waiting');

-- One run of an assignment.
CREATE TABLE ai_provider_executions (
  execution_id TEXT PRIMARY KEY,
  provider_name TEXT NOT NULL,
  task_uuid TEXT NOT NULL,
  input TEXT,
  output TEXT,
  patch_data TEXT,
  status TEXT NOT NULL DEFAULT 'queued'
    CHECK (status IN ('queued', 'running', 'waiting', 'completed', 'failed', 'cancelled', 'timed_out')),
  duration_ms INTEGER,
  order_id TEXT,
  model TEXT,
  input_tokens INTEGER,
  output_tokens INTEGER,
  cost_usd REAL,
  error TEXT,
  batch_id TEXT,
  created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
  started_at TEXT,
  finished_at TEXT
) WITHOUT ROWID;
CREATE INDEX ai_provider_executions_task ON ai_provider_executions (task_uuid, created_at DESC);
CREATE INDEX ai_provider_executions_provider ON ai_provider_executions (provider_name, status, created_at DESC);

CREATE TABLE ai_provider_configs (
  provider_name TEXT PRIMARY KEY,
  api_endpoint TEXT,
  default_model TEXT,
  rate_limits TEXT CHECK (rate_limits IS NULL OR json_valid(rate_limits)),
  cost_per_token REAL,
  enabled INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
  updated_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
) WITHOUT ROWID;

-- What a scan of logs found worth mending. Severity 1 is the gravest.
CREATE TABLE ops_issues (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL CHECK (kind IN ('worker-log', 'build-log')),
  severity INTEGER NOT NULL CHECK (severity BETWEEN 1 AND 5),
  status TEXT NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'triaged', 'in_progress', 'resolved', 'closed')),
  worker TEXT,
  repo TEXT,
  run_id TEXT,
  prompt TEXT NOT NULL,
  analysis TEXT NOT NULL,
  gh_issue_number INTEGER,
  gh_issue_url TEXT,
  -- The same trouble seen again is the same issue.
  fingerprint TEXT,
  occurrences INTEGER NOT NULL DEFAULT 1,
  claimed_by TEXT,
  claimed_at TEXT,
  created_at TEXT DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX ops_issues_status ON ops_issues (status, severity, id DESC);
CREATE UNIQUE INDEX ops_issues_fingerprint ON ops_issues (fingerprint)
  WHERE fingerprint IS NOT NULL AND status IN ('open', 'triaged', 'in_progress');

CREATE TABLE ops_scans (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  scope TEXT NOT NULL CHECK (scope IN ('cloudflare', 'cicd', 'full')),
  started_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
  finished_at TEXT,
  totals TEXT
);
CREATE INDEX ops_scans_started ON ops_scans (started_at DESC);

-- Bearer tokens. The token itself is never stored: `prefix` finds the row, `hash` (SHA-256) decides.
CREATE TABLE api_tokens (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  prefix TEXT NOT NULL UNIQUE,
  hash TEXT NOT NULL,
  scopes TEXT NOT NULL CHECK (json_valid(scopes)),
  -- Whom the holder may name as requester, as a JSON array; null: anyone.
  requesters TEXT CHECK (requesters IS NULL OR json_valid(requesters)),
  -- The one workspace the token is for; null: any.
  workspace_id TEXT,
  created_by TEXT NOT NULL,
  created_at TEXT NOT NULL,
  expires_at TEXT,
  revoked_at TEXT,
  last_used_at TEXT
) WITHOUT ROWID;
CREATE INDEX api_tokens_created ON api_tokens (created_at DESC, id DESC);
