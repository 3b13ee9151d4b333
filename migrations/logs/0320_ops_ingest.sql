-- Lines mined from outside: `key` is what the line is by itself, so that none is stored twice however often it is read;
-- `fingerprint` is the trouble it tells of.
ALTER TABLE worker_logs ADD COLUMN key TEXT;
ALTER TABLE worker_logs ADD COLUMN fingerprint TEXT;
ALTER TABLE worker_logs ADD COLUMN commit_sha TEXT;
CREATE UNIQUE INDEX worker_logs_key ON worker_logs (key) WHERE key IS NOT NULL;
CREATE INDEX worker_logs_fingerprint ON worker_logs (fingerprint, id DESC) WHERE fingerprint IS NOT NULL;
ALTER TABLE build_logs ADD COLUMN key TEXT;
ALTER TABLE build_logs ADD COLUMN fingerprint TEXT;
ALTER TABLE build_logs ADD COLUMN commit_sha TEXT;
CREATE UNIQUE INDEX build_logs_key ON build_logs (key) WHERE key IS NOT NULL;
CREATE INDEX build_logs_fingerprint ON build_logs (fingerprint, id DESC) WHERE fingerprint IS NOT NULL;

-- How far each source has been read: everything before `through` is in; of the window that is being read, its end and the
-- place in it, as the source names places.
CREATE TABLE ingest_cursors (
  source TEXT PRIMARY KEY,
  through TEXT NOT NULL,
  window_end TEXT,
  place TEXT,
  updated_at TEXT NOT NULL
) WITHOUT ROWID;
