-- How often a sweep could not carry a delivery out, why the last time, and since when it is tried no more.
ALTER TABLE github_deliveries ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE github_deliveries ADD COLUMN failure TEXT;
ALTER TABLE github_deliveries ADD COLUMN given_up_at TEXT;
-- What was tried least comes first: what always fails keeps nothing newer from being carried out.
DROP INDEX github_deliveries_unhandled;
CREATE INDEX github_deliveries_unhandled ON github_deliveries (tries, received_at)
  WHERE handled_at IS NULL AND given_up_at IS NULL;
