-- What is old is found without looking at the rest.
CREATE INDEX worker_logs_ts ON worker_logs (ts, id);
CREATE INDEX build_logs_ts ON build_logs (ts, id);

-- How a source stands: when it last gave a page, since when it has not, and why.
ALTER TABLE ingest_cursors ADD COLUMN read_at TEXT;
ALTER TABLE ingest_cursors ADD COLUMN failing_since TEXT;
ALTER TABLE ingest_cursors ADD COLUMN failure TEXT;
UPDATE ingest_cursors SET read_at = updated_at;
