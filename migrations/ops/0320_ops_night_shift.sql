ALTER TABLE ops_issues ADD COLUMN fingerprint_version INTEGER;
ALTER TABLE ops_issues ADD COLUMN template TEXT;
ALTER TABLE ops_issues ADD COLUMN frame TEXT;
-- By rule alone: whether an issue is filed follows from this one, never from what a model said.
ALTER TABLE ops_issues ADD COLUMN rule_severity INTEGER;
ALTER TABLE ops_issues ADD COLUMN judged_by TEXT;
ALTER TABLE ops_issues ADD COLUMN first_seen TEXT;
ALTER TABLE ops_issues ADD COLUMN last_seen TEXT;
ALTER TABLE ops_issues ADD COLUMN updated_at TEXT;
ALTER TABLE ops_issues ADD COLUMN closed_at TEXT;
-- The returns after it was closed.
ALTER TABLE ops_issues ADD COLUMN reopened INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ops_issues ADD COLUMN claim_expires_at TEXT;
ALTER TABLE ops_issues ADD COLUMN order_id TEXT;
-- Who files it on GitHub, since when; from then on GitHub may have the issue, whatever stands here.
ALTER TABLE ops_issues ADD COLUMN filing_by TEXT;
ALTER TABLE ops_issues ADD COLUMN filing_at TEXT;
-- What GitHub was last told: the issue's state, how often it had happened, and when that was said.
ALTER TABLE ops_issues ADD COLUMN gh_state TEXT;
ALTER TABLE ops_issues ADD COLUMN told_occurrences INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ops_issues ADD COLUMN told_at TEXT;

-- One issue a trouble, for good: one that was closed is opened again.
CREATE UNIQUE INDEX ops_issues_trouble ON ops_issues (fingerprint) WHERE fingerprint IS NOT NULL;
CREATE INDEX ops_issues_last_seen ON ops_issues (last_seen DESC, id DESC);
CREATE INDEX ops_issues_unfiled ON ops_issues (id) WHERE gh_issue_number IS NULL AND status IN ('open', 'triaged', 'in_progress');
CREATE UNIQUE INDEX ops_issues_github ON ops_issues (gh_issue_url) WHERE gh_issue_url IS NOT NULL;

-- The commits that a trouble was seen at: what joins a Worker's errors to a build's failures.
CREATE TABLE ops_issue_commits (
  issue_id INTEGER NOT NULL,
  commit_sha TEXT NOT NULL,
  first_seen TEXT NOT NULL,
  PRIMARY KEY (issue_id, commit_sha)
) WITHOUT ROWID;
CREATE INDEX ops_issue_commits_commit ON ops_issue_commits (commit_sha);

-- The last line of each log that has been counted.
CREATE TABLE ops_cursors (
  name TEXT PRIMARY KEY,
  position INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO ops_cursors (name, position) VALUES ('worker-log', 0), ('build-log', 0);

ALTER TABLE ops_scans ADD COLUMN outcome TEXT CHECK (outcome IN ('done', 'partial', 'failed', 'stuck'));
ALTER TABLE ops_scans ADD COLUMN error TEXT;
ALTER TABLE ops_scans ADD COLUMN started_by TEXT;
-- A scan that runs moves this on; past it, it is stuck.
ALTER TABLE ops_scans ADD COLUMN lease_until TEXT;
-- One scan at a time.
CREATE UNIQUE INDEX ops_scans_running ON ops_scans ((1)) WHERE finished_at IS NULL AND outcome IS NULL;
