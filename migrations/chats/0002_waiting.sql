-- Conversations that wait for a person are few, and looked for again and again.
CREATE INDEX ai_provider_conversations_waiting ON ai_provider_conversations (updated_at) WHERE status = 'waiting';
