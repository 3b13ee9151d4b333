/** One row an attempt, for as long as its order's budget may ask; sums over them are what was spent and is reserved. */
export const TABLES = `
CREATE TABLE IF NOT EXISTS attempts (
  key TEXT PRIMARY KEY,
  provider TEXT NOT NULL,
  order_id TEXT,
  state TEXT NOT NULL CHECK (state IN ('open', 'settled', 'expired')),
  cost_usd REAL NOT NULL,
  units INTEGER NOT NULL,
  -- YYYY-MM-DD, UTC, of the reservation: what it costs counts there.
  day TEXT NOT NULL,
  key_fingerprint TEXT,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS attempts_day ON attempts (provider, day);
CREATE INDEX IF NOT EXISTS attempts_order ON attempts (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS attempts_open ON attempts (expires_at) WHERE state = 'open';
CREATE TABLE IF NOT EXISTS providers (
  provider TEXT PRIMARY KEY,
  breaker TEXT NOT NULL,
  bounds TEXT NOT NULL,
  key_fingerprint TEXT,
  health TEXT NOT NULL
) WITHOUT ROWID;
`;
