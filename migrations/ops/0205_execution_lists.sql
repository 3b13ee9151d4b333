-- Lists of executions, dead letters and requests, each read along an index in its order.
CREATE INDEX ai_provider_executions_by_provider ON ai_provider_executions (provider_name, created_at DESC, execution_id DESC);
CREATE INDEX ai_provider_executions_by_task ON ai_provider_executions (task_uuid, created_at DESC, execution_id DESC);
CREATE INDEX ai_provider_executions_by_order ON ai_provider_executions (order_id, created_at DESC, execution_id DESC);
CREATE INDEX ai_provider_executions_by_workspace
  ON ai_provider_executions (workspace_id, created_at DESC, execution_id DESC);
CREATE INDEX ai_dead_letters_created ON ai_dead_letters (created_at DESC, id DESC);
CREATE INDEX hil_requests_created ON hil_requests (created_at DESC, id DESC);

-- The workspace a request is about, so that it is known who may see it; null: none.
ALTER TABLE hil_requests ADD COLUMN workspace_id TEXT;
CREATE INDEX hil_requests_workspace ON hil_requests (workspace_id, created_at DESC, id DESC)
  WHERE workspace_id IS NOT NULL;
-- When the run that asked was told how it was decided. A decision that nobody was told of is told again: it has a time
-- (`answered_at`), which open and withdrawn requests have not.
ALTER TABLE hil_requests ADD COLUMN told_at TEXT;
CREATE INDEX hil_requests_untold ON hil_requests (answered_at) WHERE told_at IS NULL AND answered_at IS NOT NULL;
-- Open ones by when they end.
CREATE INDEX hil_requests_open ON hil_requests (expires_at) WHERE status = 'open';
CREATE INDEX hil_requests_decided ON hil_requests (answered_at) WHERE answered_at IS NOT NULL;
