CREATE TABLE alerts (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  severity TEXT NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
  title TEXT NOT NULL,
  text TEXT NOT NULL,
  dedupe_key TEXT NOT NULL,
  worker TEXT,
  order_id TEXT,
  project_id TEXT,
  data TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(data)),
  status TEXT NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'resolved')),
  count INTEGER NOT NULL DEFAULT 1,
  told INTEGER NOT NULL DEFAULT 1,
  first_at TEXT NOT NULL,
  last_at TEXT NOT NULL,
  told_at TEXT NOT NULL,
  -- Which call tells it: of several at once exactly one finds its own mark here.
  told_by TEXT NOT NULL,
  -- Null while the hub has not stored what is to be told.
  announced_at TEXT,
  resolved_at TEXT,
  resolved_by TEXT
) WITHOUT ROWID;
-- A cause has one open alert.
CREATE UNIQUE INDEX alerts_open ON alerts (dedupe_key) WHERE status = 'open';
CREATE INDEX alerts_first ON alerts (first_at DESC, id DESC);
CREATE INDEX alerts_status ON alerts (status, first_at DESC, id DESC);
CREATE INDEX alerts_unannounced ON alerts (told_at) WHERE announced_at IS NULL;

CREATE TABLE alert_webhooks (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  url TEXT NOT NULL,
  -- Kinds, or families as `health.*`; none: all.
  kinds TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(kinds)),
  min_severity TEXT NOT NULL CHECK (min_severity IN ('info', 'warning', 'critical')),
  enabled INTEGER NOT NULL DEFAULT 1,
  disabled_reason TEXT,
  failing_since TEXT,
  last_success_at TEXT,
  -- [{sealed, created_at, expires_at}], the newest first; `sealed` is AES-256-GCM under a key of the instance.
  secrets TEXT NOT NULL CHECK (json_valid(secrets)),
  created_by TEXT NOT NULL,
  created_at TEXT NOT NULL,
  deleted_at TEXT
) WITHOUT ROWID;
CREATE INDEX alert_webhooks_created ON alert_webhooks (created_at DESC, id DESC) WHERE deleted_at IS NULL;

-- One row a message and webhook: what is to be sent stands here; the queue only says when.
CREATE TABLE alert_deliveries (
  id TEXT PRIMARY KEY,
  webhook_id TEXT NOT NULL,
  alert_id TEXT NOT NULL,
  message_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  body TEXT NOT NULL CHECK (json_valid(body)),
  status TEXT NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'delivered', 'failed', 'cancelled')),
  attempts INTEGER NOT NULL DEFAULT 0,
  response_status INTEGER,
  error TEXT,
  duration_ms INTEGER,
  next_attempt_at TEXT,
  -- Until when one attempt has it for itself.
  leased_until TEXT,
  created_at TEXT NOT NULL,
  delivered_at TEXT
) WITHOUT ROWID;
CREATE INDEX alert_deliveries_webhook ON alert_deliveries (webhook_id, created_at DESC, id DESC);
CREATE INDEX alert_deliveries_alert ON alert_deliveries (alert_id, created_at DESC);
CREATE INDEX alert_deliveries_due ON alert_deliveries (next_attempt_at) WHERE status = 'pending';
