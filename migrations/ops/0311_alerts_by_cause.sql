-- What was told of a cause, closed or not.
CREATE INDEX alerts_cause ON alerts (dedupe_key);
