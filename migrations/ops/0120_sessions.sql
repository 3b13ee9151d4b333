-- Browsers signed in with a token. The cookie holds the id, signed; `token_hash` is the credential it was traded for, so
-- that a session ends with it: the row's own for an API token, the environment's for the bootstrap token.
CREATE TABLE sessions (
  id TEXT PRIMARY KEY,
  actor TEXT NOT NULL,
  -- Null: the bootstrap token.
  token_id TEXT REFERENCES api_tokens (id),
  token_hash TEXT NOT NULL,
  user_agent TEXT,
  created_at TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  last_used_at TEXT,
  revoked_at TEXT
) WITHOUT ROWID;
CREATE INDEX sessions_created ON sessions (created_at DESC, id DESC);
CREATE INDEX sessions_actor ON sessions (actor, created_at DESC, id DESC);
-- What is long over is swept.
CREATE INDEX sessions_expires ON sessions (expires_at);

-- The tokens a holder has made, and those made with them.
CREATE INDEX api_tokens_created_by ON api_tokens (created_by, created_at DESC, id DESC);
