-- One current report an order; those it took the place of are kept beside it.
DELETE FROM delivery_reports WHERE id NOT IN (SELECT max(id) FROM delivery_reports GROUP BY order_id);
DROP INDEX delivery_reports_order;
ALTER TABLE delivery_reports ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
-- The one workspace the order's events stand in; null where they stand in several.
ALTER TABLE delivery_reports ADD COLUMN workspace_id TEXT;
ALTER TABLE delivery_reports ADD COLUMN factory TEXT;
-- How many of the order's events it covers: chains only grow, so of two reports the one with more is the later.
ALTER TABLE delivery_reports ADD COLUMN events INTEGER NOT NULL DEFAULT 0;
-- SHA-256 over what it says, time and version aside: the same again is no new version.
ALTER TABLE delivery_reports ADD COLUMN content_hash TEXT NOT NULL DEFAULT '';
-- Which version stands in the bucket, where there is one.
ALTER TABLE delivery_reports ADD COLUMN pushed_version INTEGER NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX delivery_reports_order ON delivery_reports (order_id);
CREATE INDEX delivery_reports_created ON delivery_reports (created_at DESC, order_id DESC);
CREATE INDEX delivery_reports_workspace ON delivery_reports (workspace_id, created_at DESC, order_id DESC);
CREATE INDEX delivery_reports_factory ON delivery_reports (factory, created_at DESC, order_id DESC);

CREATE TABLE delivery_report_versions (
  order_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  report_md TEXT NOT NULL,
  report_json TEXT NOT NULL,
  success_rate REAL,
  total_patches INTEGER,
  workspace_id TEXT,
  factory TEXT,
  events INTEGER NOT NULL,
  created_at TEXT,
  PRIMARY KEY (order_id, version)
) WITHOUT ROWID;

-- Where each order has events, the last of them as far as is known here, and the last one that its report covers.
CREATE TABLE delivery_orders (
  order_id TEXT NOT NULL,
  workspace_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  reported_seq INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (order_id, workspace_id)
) WITHOUT ROWID;
CREATE INDEX delivery_orders_stale ON delivery_orders (order_id) WHERE seq > reported_seq;

-- Up to which row patch_custody has been read for delivery_orders.
CREATE TABLE delivery_cursor (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  custody_id INTEGER NOT NULL
);
INSERT INTO delivery_cursor (id, custody_id) VALUES (1, 0);

-- What an order's providers cost.
CREATE INDEX ai_provider_executions_order ON ai_provider_executions (order_id) WHERE order_id IS NOT NULL;
