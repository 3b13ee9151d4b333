-- The pull requests of orders, as GitHub last told of them.
CREATE TABLE order_pull_requests (
  repository TEXT NOT NULL COLLATE NOCASE,
  number INTEGER NOT NULL,
  order_id TEXT NOT NULL,
  url TEXT NOT NULL,
  head_ref TEXT NOT NULL,
  head_sha TEXT NOT NULL,
  base_ref TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('open', 'closed', 'merged')),
  draft INTEGER NOT NULL DEFAULT 0,
  created_at TEXT NOT NULL,
  -- By GitHub's clock: events come in any order, and an older one changes nothing.
  gh_updated_at TEXT NOT NULL,
  closed_at TEXT,
  merged_at TEXT,
  -- Of which state the order's chain was told.
  told_state TEXT,
  -- Our one comment with the delivery report, which report it holds, and who writes it since when.
  comment_id INTEGER,
  comment_hash TEXT,
  commenting_by TEXT,
  commenting_at TEXT,
  comment_error TEXT,
  PRIMARY KEY (repository, number)
) WITHOUT ROWID;
CREATE INDEX order_pull_requests_order ON order_pull_requests (order_id, created_at DESC, number DESC);
CREATE INDEX order_pull_requests_untold ON order_pull_requests (repository, number) WHERE told_state IS NOT state;

-- What checks of a commit came to. The row without a name is the suite itself.
CREATE TABLE github_checks (
  repository TEXT NOT NULL COLLATE NOCASE,
  head_sha TEXT NOT NULL,
  suite_id INTEGER NOT NULL,
  name TEXT NOT NULL,
  run_id INTEGER NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('queued', 'in_progress', 'completed')),
  conclusion TEXT,
  at TEXT NOT NULL,
  seen_at TEXT NOT NULL,
  PRIMARY KEY (repository, head_sha, suite_id, name)
) WITHOUT ROWID;
CREATE INDEX github_checks_seen ON github_checks (seen_at);

-- Scans that something has asked for, each once until it has begun.
CREATE TABLE ops_scan_requests (
  scope TEXT PRIMARY KEY CHECK (scope IN ('cloudflare', 'cicd', 'full')),
  asked_at TEXT NOT NULL,
  due_at TEXT NOT NULL
) WITHOUT ROWID;
