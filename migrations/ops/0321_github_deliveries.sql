-- What GitHub's webhooks said, each once: a delivery sent again has its number or its body.
CREATE TABLE github_deliveries (
  delivery TEXT PRIMARY KEY,
  body_hash TEXT NOT NULL UNIQUE,
  event TEXT NOT NULL,
  -- What of the body is used, as JSON.
  said TEXT NOT NULL CHECK (json_valid(said)),
  received_at TEXT NOT NULL,
  handled_at TEXT
) WITHOUT ROWID;
CREATE INDEX github_deliveries_unhandled ON github_deliveries (received_at) WHERE handled_at IS NULL;
CREATE INDEX github_deliveries_received ON github_deliveries (received_at);

-- When GitHub changed what was last taken over: events come in any order.
ALTER TABLE ops_issues ADD COLUMN gh_updated_at TEXT;
