-- The log narrowed to a factory, and an order's phase messages among its links: each by an index of its own.

-- Who the patch counts for among factories, as its first event says: whoever asked for it. A later event may be another's,
-- a revert most of all, and still belongs to the same patch.
ALTER TABLE patch_events ADD COLUMN patch_factory TEXT;

-- Without its trigger, so that filling the column does not write the search index anew. From here on it looks only at
-- the columns that are searched.
DROP TRIGGER patch_events_search_update;
UPDATE patch_events SET patch_factory = (
  SELECT coalesce(nullif(f.requester, ''), f.actor) FROM patch_events AS f
  WHERE f.patch_id = patch_events.patch_id AND f.workspace_id = patch_events.workspace_id
  ORDER BY f.seq LIMIT 1
);
CREATE TRIGGER patch_events_search_update AFTER UPDATE OF id, file_path, op, patch_id, meta ON patch_events BEGIN
  INSERT INTO patch_events_search (patch_events_search, rowid, file_path, op, patch_id, meta)
  VALUES ('delete', old.id, old.file_path, old.op, old.patch_id, old.meta);
  INSERT INTO patch_events_search (rowid, file_path, op, patch_id, meta)
  VALUES (new.id, new.file_path, new.op, new.patch_id, new.meta);
END;
CREATE INDEX patch_events_by_factory ON patch_events (patch_factory, created_at);

-- Phase messages are few among an order's links.
CREATE INDEX patch_custody_phases ON patch_custody (order_id, ts) WHERE kind = 'phase';
