-- Log lines mined from deployed Workers.
CREATE TABLE worker_logs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  source TEXT NOT NULL,
  worker TEXT NOT NULL,
  level TEXT NOT NULL CHECK (level IN ('debug', 'info', 'warn', 'error')),
  message TEXT NOT NULL,
  meta TEXT,
  ts TEXT DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX worker_logs_worker ON worker_logs (worker, ts DESC);
CREATE INDEX worker_logs_level ON worker_logs (level, ts DESC);

-- Log lines of builds and CI runs.
CREATE TABLE build_logs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  source TEXT NOT NULL,
  repo TEXT NOT NULL,
  run_id TEXT NOT NULL,
  level TEXT NOT NULL CHECK (level IN ('debug', 'info', 'warn', 'error')),
  message TEXT NOT NULL,
  meta TEXT,
  ts TEXT DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX build_logs_run ON build_logs (repo, run_id, id);
CREATE INDEX build_logs_level ON build_logs (level, ts DESC);

-- What the house itself did: provider executions, specialists, deliveries.
CREATE TABLE operation_logs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  source TEXT NOT NULL,
  operation TEXT NOT NULL,
  level TEXT NOT NULL CHECK (level IN ('debug', 'info', 'warn', 'error')),
  message TEXT NOT NULL,
  actor TEXT,
  request_id TEXT,
  order_id TEXT,
  task_id TEXT,
  patch_id TEXT,
  duration_ms INTEGER,
  meta TEXT,
  ts TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX operation_logs_operation ON operation_logs (operation, ts DESC);
CREATE INDEX operation_logs_order ON operation_logs (order_id, ts DESC) WHERE order_id IS NOT NULL;
CREATE INDEX operation_logs_task ON operation_logs (task_id, ts DESC) WHERE task_id IS NOT NULL;
