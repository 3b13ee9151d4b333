-- What can be tested of a Worker, by name.
CREATE TABLE test_profiles (
  name TEXT NOT NULL PRIMARY KEY,
  description TEXT NOT NULL,
  -- JSON: the types of Workers that have it.
  worker_types TEXT NOT NULL DEFAULT '[]',
  -- Whether a check that names no profiles has it.
  is_default INTEGER NOT NULL DEFAULT 0,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
);
INSERT INTO test_profiles (name, description, worker_types, is_default, created_at, updated_at) VALUES
  ('identity', 'WORKER_NAME, WORKER_TYPE and the version are those of this Worker', '["orchestrator","factory","api","specialist"]', 1, '2026-11-21T00:00:00.000Z', '2026-11-21T00:00:00.000Z'),
  ('bindings', 'Each binding the Worker works with is there and answers', '["orchestrator","factory","api","specialist"]', 1, '2026-11-21T00:00:00.000Z', '2026-11-21T00:00:00.000Z'),
  ('database', 'A row of each D1 database is read, by way of the orchestrator', '["orchestrator","factory","api","specialist"]', 1, '2026-11-21T00:00:00.000Z', '2026-11-21T00:00:00.000Z'),
  ('engine', 'The patch engine answers, by way of the orchestrator', '["orchestrator","factory"]', 1, '2026-11-21T00:00:00.000Z', '2026-11-21T00:00:00.000Z'),
  ('template', 'The factory''s template passes its own check', '["factory"]', 0, '2026-11-21T00:00:00.000Z', '2026-11-21T00:00:00.000Z'),
  ('canary', 'A patch goes through the whole loop, is read back, and is reverted', '["orchestrator","factory"]', 0, '2026-11-21T00:00:00.000Z', '2026-11-21T00:00:00.000Z'),
  ('heartbeat', 'A container has said in time that it is there', '["container"]', 0, '2026-11-21T00:00:00.000Z', '2026-11-21T00:00:00.000Z');

-- One run: some Workers, some profiles.
CREATE TABLE health_checks (
  uuid TEXT NOT NULL PRIMARY KEY,
  trigger_type TEXT NOT NULL CHECK (trigger_type IN ('manual', 'schedule', 'rpc', 'heartbeat')),
  schedule_id TEXT,
  status TEXT NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'running', 'passed', 'failed', 'timed_out')),
  -- JSON lists.
  workers TEXT NOT NULL,
  profiles TEXT NOT NULL,
  timeout_ms INTEGER NOT NULL,
  max_retries INTEGER NOT NULL,
  requested_by TEXT NOT NULL,
  total_workers INTEGER NOT NULL DEFAULT 0,
  passed_workers INTEGER NOT NULL DEFAULT 0,
  failed_workers INTEGER NOT NULL DEFAULT 0,
  created_at TEXT NOT NULL,
  started_at TEXT,
  finished_at TEXT,
  deadline_at TEXT NOT NULL
);
CREATE INDEX health_checks_created ON health_checks (created_at DESC, uuid DESC);
CREATE INDEX health_checks_open ON health_checks (status, deadline_at) WHERE status IN ('queued', 'running');
CREATE INDEX health_checks_asked ON health_checks (requested_by, created_at);

-- What one Worker said in a run.
CREATE TABLE worker_health_checks (
  uuid TEXT NOT NULL PRIMARY KEY,
  check_uuid TEXT NOT NULL REFERENCES health_checks (uuid) ON DELETE CASCADE,
  worker_name TEXT NOT NULL,
  worker_type TEXT,
  status TEXT NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'passed', 'failed', 'timed_out')),
  -- The first fault found; null where it passed.
  code TEXT,
  message TEXT,
  -- SHA-256 of the nonce that its callback must bear.
  nonce_hash TEXT NOT NULL UNIQUE,
  -- JSON: the tries of the orchestrator to reach the Worker, and the Worker's own tries of its profiles.
  dispatches TEXT NOT NULL DEFAULT '[]',
  attempts TEXT NOT NULL DEFAULT '[]',
  version TEXT,
  created_at TEXT NOT NULL,
  started_at TEXT,
  finished_at TEXT,
  duration_ms INTEGER,
  deadline_at TEXT NOT NULL,
  -- Which write ended it, and its place in the order in which this Worker's checks ended.
  settled_by TEXT,
  settled_seq INTEGER
);
CREATE INDEX worker_health_checks_check ON worker_health_checks (check_uuid, worker_name);
CREATE INDEX worker_health_checks_worker ON worker_health_checks (worker_name, created_at DESC, uuid DESC);
CREATE INDEX worker_health_checks_created ON worker_health_checks (created_at);
CREATE INDEX worker_health_checks_open ON worker_health_checks (deadline_at) WHERE status = 'pending';
CREATE UNIQUE INDEX worker_health_checks_settled ON worker_health_checks (worker_name, settled_seq) WHERE settled_seq IS NOT NULL;

CREATE TABLE test_results (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  worker_check_uuid TEXT NOT NULL REFERENCES worker_health_checks (uuid) ON DELETE CASCADE,
  worker_name TEXT NOT NULL,
  profile TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('passed', 'failed', 'skipped')),
  code TEXT,
  message TEXT,
  -- JSON: each part that was looked at.
  details TEXT NOT NULL DEFAULT '[]',
  attempt INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  created_at TEXT NOT NULL,
  UNIQUE (worker_check_uuid, profile)
);
CREATE INDEX test_results_worker ON test_results (worker_name, profile, created_at DESC);

-- What a model said of a run that failed. It is read by people and decides nothing.
CREATE TABLE ai_logs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  check_uuid TEXT NOT NULL REFERENCES health_checks (uuid) ON DELETE CASCADE,
  model TEXT NOT NULL,
  prompt TEXT NOT NULL,
  response TEXT,
  error TEXT,
  duration_ms INTEGER NOT NULL,
  created_at TEXT NOT NULL
);
CREATE INDEX ai_logs_check ON ai_logs (check_uuid, id);

CREATE TABLE health_check_schedules (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  -- JSON lists; null: all that HEALTH_WORKER_TARGETS names, and the profiles that are the default.
  workers TEXT,
  profiles TEXT,
  every_minutes INTEGER NOT NULL CHECK (every_minutes BETWEEN 1 AND 10080),
  timeout_ms INTEGER NOT NULL DEFAULT 30000,
  max_retries INTEGER NOT NULL DEFAULT 2,
  enabled INTEGER NOT NULL DEFAULT 1,
  next_run_at TEXT NOT NULL,
  last_run_at TEXT,
  last_check_uuid TEXT,
  -- Times that no run came for, and runs that did not end.
  missed_runs INTEGER NOT NULL DEFAULT 0,
  stuck_runs INTEGER NOT NULL DEFAULT 0,
  created_by TEXT NOT NULL,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
);
CREATE INDEX health_check_schedules_due ON health_check_schedules (next_run_at) WHERE enabled = 1;
CREATE INDEX health_check_schedules_created ON health_check_schedules (created_at DESC, id DESC);
INSERT INTO health_check_schedules (id, name, workers, profiles, every_minutes, next_run_at, created_by, created_at, updated_at) VALUES
  ('standard', 'All Workers', NULL, NULL, 5, '2026-01-01T00:00:00.000Z', 'system', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z'),
  ('deep', 'All Workers, with templates and a canary patch', NULL, '["identity","bindings","database","engine","template","canary"]', 1440, strftime('%Y-%m-%dT03:15:00.000Z', 'now', '+1 day'), 'system', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z');

-- A Worker's day, for its uptime.
CREATE TABLE health_summaries (
  worker_name TEXT NOT NULL,
  day TEXT NOT NULL,
  checks INTEGER NOT NULL DEFAULT 0,
  passed INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  timed_out INTEGER NOT NULL DEFAULT 0,
  duration_ms INTEGER NOT NULL DEFAULT 0,
  max_duration_ms INTEGER NOT NULL DEFAULT 0,
  last_at TEXT NOT NULL,
  PRIMARY KEY (worker_name, day)
) WITHOUT ROWID;
CREATE INDEX health_summaries_day ON health_summaries (day, worker_name);

-- How a Worker or a container stands: folded from its ended checks, in their order.
CREATE TABLE worker_states (
  worker_name TEXT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL DEFAULT 'worker' CHECK (kind IN ('worker', 'container')),
  status TEXT NOT NULL DEFAULT 'unknown' CHECK (status IN ('unknown', 'up', 'down')),
  flapping INTEGER NOT NULL DEFAULT 0,
  -- The latest outcomes, oldest first: P or F each.
  recent TEXT NOT NULL DEFAULT '',
  -- Up to which ended check it is folded, and what was last said of it.
  cursor INTEGER NOT NULL DEFAULT 0,
  told TEXT NOT NULL DEFAULT 'unknown',
  -- JSON: alerts that are not handed over yet.
  pending_alerts TEXT NOT NULL DEFAULT '[]',
  -- Moves with each write, so that of two at once one is made.
  revision INTEGER NOT NULL DEFAULT 0,
  changed_at TEXT,
  heartbeat_at TEXT,
  heartbeat_every_s INTEGER,
  heartbeat_meta TEXT,
  updated_at TEXT NOT NULL
);
CREATE INDEX worker_states_kind ON worker_states (kind, worker_name);
