-- A repository and branch that orders are made for.
CREATE TABLE projects (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  repository TEXT,
  branch TEXT NOT NULL DEFAULT 'main',
  created_by TEXT NOT NULL,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX projects_created ON projects (created_at DESC, id DESC);

-- Work a factory delivers. `status` moves only along ORDER_TRANSITIONS.
CREATE TABLE orders (
  id TEXT PRIMARY KEY,
  project_id TEXT REFERENCES projects (id),
  title TEXT NOT NULL,
  description TEXT NOT NULL DEFAULT '',
  factory TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'received'
    CHECK (status IN ('received', 'in_progress', 'delivered', 'failed', 'cancelled')),
  workspace_id TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX orders_created ON orders (created_at DESC, id DESC);
CREATE INDEX orders_status ON orders (status, created_at DESC, id DESC);
CREATE INDEX orders_project ON orders (project_id, created_at DESC, id DESC) WHERE project_id IS NOT NULL;
CREATE INDEX orders_factory ON orders (factory, created_at DESC, id DESC);
CREATE INDEX orders_workspace ON orders (workspace_id);

-- A step of an order. `allowed` is the JSON of what its patches may touch; `status` moves only along TASK_TRANSITIONS.
CREATE TABLE tasks (
  id TEXT PRIMARY KEY,
  order_id TEXT NOT NULL REFERENCES orders (id),
  title TEXT NOT NULL,
  type TEXT NOT NULL CHECK (type IN ('generate', 'fix', 'refactor', 'optimize')),
  status TEXT NOT NULL DEFAULT 'pending'
    CHECK (status IN ('pending', 'in_progress', 'applied', 'validated', 'failed', 'reverted', 'cancelled')),
  allowed TEXT NOT NULL CHECK (json_valid(allowed)),
  max_changed_lines INTEGER CHECK (max_changed_lines > 0),
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX tasks_created ON tasks (created_at DESC, id DESC);
CREATE INDEX tasks_order ON tasks (order_id, created_at DESC, id DESC);
CREATE INDEX tasks_status ON tasks (status, created_at DESC, id DESC);

-- How far each workspace's events have been counted in here; the batch that counts them moves it.
CREATE TABLE workspace_cursors (
  workspace_id TEXT PRIMARY KEY,
  seq INTEGER NOT NULL CHECK (seq >= 0),
  updated_at TEXT NOT NULL
) WITHOUT ROWID;
