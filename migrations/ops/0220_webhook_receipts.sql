-- Signed deliveries that were taken, so that none is taken twice. Kept for as long as a timestamp is accepted.
CREATE TABLE webhook_receipts (
  sender TEXT NOT NULL,
  signature TEXT NOT NULL,
  received_at TEXT NOT NULL,
  PRIMARY KEY (sender, signature)
) WITHOUT ROWID;
CREATE INDEX webhook_receipts_received ON webhook_receipts (received_at);

-- Whose a session at a provider is.
CREATE INDEX ai_provider_attempts_external ON ai_provider_attempts (external_id) WHERE external_id IS NOT NULL;
