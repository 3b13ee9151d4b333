-- Statistics: one small table a dimension instead of one for all, each a row a day and key, so that what is read grows
-- with days and keys and never with events. Kept in the batch that writes the events; `v_patch_lives` is what they
-- are made from anew.

-- On the event that says a request was applied: milliseconds since that request.
ALTER TABLE patch_events ADD COLUMN duration_ms INTEGER;
-- An error's message without what varies from one occurrence to the next.
ALTER TABLE patch_events ADD COLUMN error_template TEXT;

DROP TABLE patch_rollups;

-- A patch, once: what its first event says it is, what its last event says has become of it.
CREATE VIEW v_patch_lives AS
SELECT
  f.workspace_id,
  f.patch_id,
  substr(f.created_at, 1, 10) AS day,
  f.created_at AS first_at,
  coalesce(nullif(f.requester, ''), f.actor) AS factory,
  f.op,
  f.provider,
  f.phase,
  f.order_id,
  f.project_id,
  l.event_type,
  l.ts_check_ok,
  l.error_code,
  coalesce(l.error_template, '') AS error_template,
  coalesce(l.lines_added, 0) AS lines_added,
  coalesce(l.lines_removed, 0) AS lines_removed,
  (SELECT max(created_at) FROM patch_events WHERE patch_id = f.patch_id AND workspace_id = f.workspace_id) AS last_at,
  (SELECT count(duration_ms) FROM patch_events WHERE patch_id = f.patch_id AND workspace_id = f.workspace_id) AS timed,
  (SELECT coalesce(sum(duration_ms), 0) FROM patch_events WHERE patch_id = f.patch_id AND workspace_id = f.workspace_id)
    AS duration_ms
FROM patch_events AS f
JOIN patch_events AS l ON l.patch_id = f.patch_id AND l.workspace_id = f.workspace_id AND l.seq = (
  SELECT max(seq) FROM patch_events WHERE patch_id = f.patch_id AND workspace_id = f.workspace_id
)
WHERE f.seq = (SELECT min(seq) FROM patch_events WHERE patch_id = f.patch_id AND workspace_id = f.workspace_id);

-- `project_id` is '' in the rows that count all projects.
CREATE TABLE patch_days (
  project_id TEXT NOT NULL,
  -- YYYY-MM-DD, UTC: when the patch was asked for.
  day TEXT NOT NULL,
  patches INTEGER NOT NULL,
  -- By the patch's last word.
  requested INTEGER NOT NULL,
  applied INTEGER NOT NULL,
  validated INTEGER NOT NULL,
  refused INTEGER NOT NULL,
  reverted INTEGER NOT NULL,
  -- Its last type check passed; it was refused, or its last type check found errors. A patch that no check has looked
  -- at is neither.
  ok INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  -- Applied or validated; lines are theirs alone.
  stands INTEGER NOT NULL,
  lines_added INTEGER NOT NULL,
  lines_removed INTEGER NOT NULL,
  -- Requests that were applied, and the sum of the milliseconds that took.
  timed INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  -- The first and the last time of an event of these patches.
  first_at TEXT NOT NULL,
  last_at TEXT NOT NULL,
  PRIMARY KEY (project_id, day)
) WITHOUT ROWID;

CREATE TABLE patch_factory_days (
  project_id TEXT NOT NULL,
  day TEXT NOT NULL,
  -- Who asked, by its own name; where it gave none, as the door knows it.
  factory TEXT NOT NULL,
  patches INTEGER NOT NULL,
  requested INTEGER NOT NULL,
  applied INTEGER NOT NULL,
  validated INTEGER NOT NULL,
  refused INTEGER NOT NULL,
  reverted INTEGER NOT NULL,
  ok INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  stands INTEGER NOT NULL,
  lines_added INTEGER NOT NULL,
  lines_removed INTEGER NOT NULL,
  timed INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  first_at TEXT NOT NULL,
  last_at TEXT NOT NULL,
  PRIMARY KEY (project_id, day, factory)
) WITHOUT ROWID;

CREATE TABLE patch_op_days (
  project_id TEXT NOT NULL,
  day TEXT NOT NULL,
  op TEXT NOT NULL,
  patches INTEGER NOT NULL,
  requested INTEGER NOT NULL,
  applied INTEGER NOT NULL,
  validated INTEGER NOT NULL,
  refused INTEGER NOT NULL,
  reverted INTEGER NOT NULL,
  ok INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  stands INTEGER NOT NULL,
  lines_added INTEGER NOT NULL,
  lines_removed INTEGER NOT NULL,
  timed INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  first_at TEXT NOT NULL,
  last_at TEXT NOT NULL,
  PRIMARY KEY (project_id, day, op)
) WITHOUT ROWID;

CREATE TABLE patch_provider_days (
  project_id TEXT NOT NULL,
  day TEXT NOT NULL,
  -- '' where no provider is named.
  provider TEXT NOT NULL,
  patches INTEGER NOT NULL,
  requested INTEGER NOT NULL,
  applied INTEGER NOT NULL,
  validated INTEGER NOT NULL,
  refused INTEGER NOT NULL,
  reverted INTEGER NOT NULL,
  ok INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  stands INTEGER NOT NULL,
  lines_added INTEGER NOT NULL,
  lines_removed INTEGER NOT NULL,
  timed INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  first_at TEXT NOT NULL,
  last_at TEXT NOT NULL,
  PRIMARY KEY (project_id, day, provider)
) WITHOUT ROWID;

CREATE TABLE patch_phase_days (
  project_id TEXT NOT NULL,
  day TEXT NOT NULL,
  -- '' outside of phases.
  phase TEXT NOT NULL,
  patches INTEGER NOT NULL,
  requested INTEGER NOT NULL,
  applied INTEGER NOT NULL,
  validated INTEGER NOT NULL,
  refused INTEGER NOT NULL,
  reverted INTEGER NOT NULL,
  ok INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  stands INTEGER NOT NULL,
  lines_added INTEGER NOT NULL,
  lines_removed INTEGER NOT NULL,
  timed INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  first_at TEXT NOT NULL,
  last_at TEXT NOT NULL,
  PRIMARY KEY (project_id, day, phase)
) WITHOUT ROWID;

-- An order lives for few days and in one project, so it stands once. '' where a patch has none.
CREATE TABLE patch_order_days (
  day TEXT NOT NULL,
  order_id TEXT NOT NULL,
  project_id TEXT NOT NULL,
  patches INTEGER NOT NULL,
  requested INTEGER NOT NULL,
  applied INTEGER NOT NULL,
  validated INTEGER NOT NULL,
  refused INTEGER NOT NULL,
  reverted INTEGER NOT NULL,
  ok INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  stands INTEGER NOT NULL,
  lines_added INTEGER NOT NULL,
  lines_removed INTEGER NOT NULL,
  timed INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  first_at TEXT NOT NULL,
  last_at TEXT NOT NULL,
  PRIMARY KEY (day, order_id, project_id)
) WITHOUT ROWID;
CREATE INDEX patch_order_days_by_order ON patch_order_days (order_id, day);

-- Patches whose last word is an error. It may be another one later, so a row can come to 0.
CREATE TABLE patch_error_days (
  project_id TEXT NOT NULL,
  day TEXT NOT NULL,
  code TEXT NOT NULL,
  template TEXT NOT NULL,
  patches INTEGER NOT NULL,
  PRIMARY KEY (project_id, day, code, template)
) WITHOUT ROWID;

-- From request to application, in buckets: `bucket` is the shortest duration in it, in milliseconds; it is at most an
-- eighth of that wide.
CREATE TABLE patch_duration_days (
  project_id TEXT NOT NULL,
  day TEXT NOT NULL,
  bucket INTEGER NOT NULL,
  patches INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  PRIMARY KEY (project_id, day, bucket)
) WITHOUT ROWID;

-- What the events on record come to. Durations are known of events from now on, or after a rebuild.
INSERT INTO patch_days (project_id, day, patches, requested, applied, validated, refused, reverted, ok, failed, stands, lines_added, lines_removed, timed, duration_ms, first_at, last_at)
SELECT iif(own, lives.project_id, '') AS project_id, day AS day, count(*) AS patches, sum(event_type = 'patch_requested') AS requested, sum(event_type = 'patch_applied') AS applied, sum(event_type = 'patch_validated') AS validated, sum(event_type = 'patch_failed') AS refused, sum(event_type = 'patch_reverted') AS reverted, sum(ts_check_ok IS 1 AND event_type <> 'patch_failed') AS ok, sum(ts_check_ok IS 0 OR event_type = 'patch_failed') AS failed, sum(event_type IN ('patch_applied', 'patch_validated')) AS stands, sum(iif(event_type IN ('patch_applied', 'patch_validated'), lines_added, 0)) AS lines_added, sum(iif(event_type IN ('patch_applied', 'patch_validated'), lines_removed, 0)) AS lines_removed, sum(timed) AS timed, sum(duration_ms) AS duration_ms, min(first_at) AS first_at, max(last_at) AS last_at
FROM (SELECT 0 AS own UNION ALL SELECT 1) AS scope, v_patch_lives AS lives WHERE (NOT own OR lives.project_id <> '')
GROUP BY 1, 2;
INSERT INTO patch_factory_days (project_id, day, factory, patches, requested, applied, validated, refused, reverted, ok, failed, stands, lines_added, lines_removed, timed, duration_ms, first_at, last_at)
SELECT iif(own, lives.project_id, '') AS project_id, day AS day, factory AS factory, count(*) AS patches, sum(event_type = 'patch_requested') AS requested, sum(event_type = 'patch_applied') AS applied, sum(event_type = 'patch_validated') AS validated, sum(event_type = 'patch_failed') AS refused, sum(event_type = 'patch_reverted') AS reverted, sum(ts_check_ok IS 1 AND event_type <> 'patch_failed') AS ok, sum(ts_check_ok IS 0 OR event_type = 'patch_failed') AS failed, sum(event_type IN ('patch_applied', 'patch_validated')) AS stands, sum(iif(event_type IN ('patch_applied', 'patch_validated'), lines_added, 0)) AS lines_added, sum(iif(event_type IN ('patch_applied', 'patch_validated'), lines_removed, 0)) AS lines_removed, sum(timed) AS timed, sum(duration_ms) AS duration_ms, min(first_at) AS first_at, max(last_at) AS last_at
FROM (SELECT 0 AS own UNION ALL SELECT 1) AS scope, v_patch_lives AS lives WHERE (NOT own OR lives.project_id <> '')
GROUP BY 1, 2, 3;
INSERT INTO patch_op_days (project_id, day, op, patches, requested, applied, validated, refused, reverted, ok, failed, stands, lines_added, lines_removed, timed, duration_ms, first_at, last_at)
SELECT iif(own, lives.project_id, '') AS project_id, day AS day, op AS op, count(*) AS patches, sum(event_type = 'patch_requested') AS requested, sum(event_type = 'patch_applied') AS applied, sum(event_type = 'patch_validated') AS validated, sum(event_type = 'patch_failed') AS refused, sum(event_type = 'patch_reverted') AS reverted, sum(ts_check_ok IS 1 AND event_type <> 'patch_failed') AS ok, sum(ts_check_ok IS 0 OR event_type = 'patch_failed') AS failed, sum(event_type IN ('patch_applied', 'patch_validated')) AS stands, sum(iif(event_type IN ('patch_applied', 'patch_validated'), lines_added, 0)) AS lines_added, sum(iif(event_type IN ('patch_applied', 'patch_validated'), lines_removed, 0)) AS lines_removed, sum(timed) AS timed, sum(duration_ms) AS duration_ms, min(first_at) AS first_at, max(last_at) AS last_at
FROM (SELECT 0 AS own UNION ALL SELECT 1) AS scope, v_patch_lives AS lives WHERE (NOT own OR lives.project_id <> '')
GROUP BY 1, 2, 3;
INSERT INTO patch_provider_days (project_id, day, provider, patches, requested, applied, validated, refused, reverted, ok, failed, stands, lines_added, lines_removed, timed, duration_ms, first_at, last_at)
SELECT iif(own, lives.project_id, '') AS project_id, day AS day, coalesce(provider, '') AS provider, count(*) AS patches, sum(event_type = 'patch_requested') AS requested, sum(event_type = 'patch_applied') AS applied, sum(event_type = 'patch_validated') AS validated, sum(event_type = 'patch_failed') AS refused, sum(event_type = 'patch_reverted') AS reverted, sum(ts_check_ok IS 1 AND event_type <> 'patch_failed') AS ok, sum(ts_check_ok IS 0 OR event_type = 'patch_failed') AS failed, sum(event_type IN ('patch_applied', 'patch_validated')) AS stands, sum(iif(event_type IN ('patch_applied', 'patch_validated'), lines_added, 0)) AS lines_added, sum(iif(event_type IN ('patch_applied', 'patch_validated'), lines_removed, 0)) AS lines_removed, sum(timed) AS timed, sum(duration_ms) AS duration_ms, min(first_at) AS first_at, max(last_at) AS last_at
FROM (SELECT 0 AS own UNION ALL SELECT 1) AS scope, v_patch_lives AS lives WHERE (NOT own OR lives.project_id <> '')
GROUP BY 1, 2, 3;
INSERT INTO patch_phase_days (project_id, day, phase, patches, requested, applied, validated, refused, reverted, ok, failed, stands, lines_added, lines_removed, timed, duration_ms, first_at, last_at)
SELECT iif(own, lives.project_id, '') AS project_id, day AS day, coalesce(phase, '') AS phase, count(*) AS patches, sum(event_type = 'patch_requested') AS requested, sum(event_type = 'patch_applied') AS applied, sum(event_type = 'patch_validated') AS validated, sum(event_type = 'patch_failed') AS refused, sum(event_type = 'patch_reverted') AS reverted, sum(ts_check_ok IS 1 AND event_type <> 'patch_failed') AS ok, sum(ts_check_ok IS 0 OR event_type = 'patch_failed') AS failed, sum(event_type IN ('patch_applied', 'patch_validated')) AS stands, sum(iif(event_type IN ('patch_applied', 'patch_validated'), lines_added, 0)) AS lines_added, sum(iif(event_type IN ('patch_applied', 'patch_validated'), lines_removed, 0)) AS lines_removed, sum(timed) AS timed, sum(duration_ms) AS duration_ms, min(first_at) AS first_at, max(last_at) AS last_at
FROM (SELECT 0 AS own UNION ALL SELECT 1) AS scope, v_patch_lives AS lives WHERE (NOT own OR lives.project_id <> '')
GROUP BY 1, 2, 3;
INSERT INTO patch_order_days (day, order_id, project_id, patches, requested, applied, validated, refused, reverted, ok, failed, stands, lines_added, lines_removed, timed, duration_ms, first_at, last_at)
SELECT day AS day, coalesce(order_id, '') AS order_id, coalesce(project_id, '') AS project_id, count(*) AS patches, sum(event_type = 'patch_requested') AS requested, sum(event_type = 'patch_applied') AS applied, sum(event_type = 'patch_validated') AS validated, sum(event_type = 'patch_failed') AS refused, sum(event_type = 'patch_reverted') AS reverted, sum(ts_check_ok IS 1 AND event_type <> 'patch_failed') AS ok, sum(ts_check_ok IS 0 OR event_type = 'patch_failed') AS failed, sum(event_type IN ('patch_applied', 'patch_validated')) AS stands, sum(iif(event_type IN ('patch_applied', 'patch_validated'), lines_added, 0)) AS lines_added, sum(iif(event_type IN ('patch_applied', 'patch_validated'), lines_removed, 0)) AS lines_removed, sum(timed) AS timed, sum(duration_ms) AS duration_ms, min(first_at) AS first_at, max(last_at) AS last_at
FROM v_patch_lives AS lives
GROUP BY 1, 2, 3;
INSERT INTO patch_error_days (project_id, day, code, template, patches)
SELECT iif(own, lives.project_id, '') AS project_id, day AS day, error_code AS code, error_template AS template, count(*) AS patches
FROM (SELECT 0 AS own UNION ALL SELECT 1) AS scope, v_patch_lives AS lives WHERE (NOT own OR lives.project_id <> '') AND error_code IS NOT NULL
GROUP BY 1, 2, 3, 4;
