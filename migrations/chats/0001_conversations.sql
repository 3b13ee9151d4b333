-- What was said with a provider while it worked on a task.
CREATE TABLE ai_provider_conversations (
  id TEXT PRIMARY KEY,
  provider_name TEXT NOT NULL,
  task_uuid TEXT,
  order_id TEXT,
  execution_id TEXT,
  status TEXT NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'waiting', 'closed')),
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX ai_provider_conversations_task ON ai_provider_conversations (task_uuid, created_at DESC);
CREATE INDEX ai_provider_conversations_order ON ai_provider_conversations (order_id, created_at DESC);
CREATE INDEX ai_provider_conversations_execution ON ai_provider_conversations (execution_id);

-- `seq` counts a conversation's messages from 1.
CREATE TABLE messages (
  conversation_id TEXT NOT NULL REFERENCES ai_provider_conversations (id),
  seq INTEGER NOT NULL CHECK (seq > 0),
  role TEXT NOT NULL CHECK (role IN ('system', 'user', 'assistant', 'tool')),
  content TEXT NOT NULL,
  meta TEXT,
  created_at TEXT NOT NULL,
  PRIMARY KEY (conversation_id, seq)
) WITHOUT ROWID;
