-- Which return of a grave issue a person was told of (0: that it is there), and whether that alert is still open.
ALTER TABLE ops_issues ADD COLUMN alerted INTEGER;
ALTER TABLE ops_issues ADD COLUMN alert_open INTEGER NOT NULL DEFAULT 0;

-- Lists, newest first.
CREATE INDEX ops_issues_by_status ON ops_issues (status, id DESC);
CREATE INDEX ops_issues_by_kind ON ops_issues (kind, id DESC);
CREATE INDEX ops_issues_by_worker ON ops_issues (worker, id DESC) WHERE worker IS NOT NULL;
CREATE INDEX ops_issues_by_repo ON ops_issues (repo, id DESC) WHERE repo IS NOT NULL;

-- What a scan still has to do; each holds that alone, so a scan reads no more than it does. The conditions stand word for
-- word in services/ops/due.ts: an index of some rows is used by a query that says which. The plus keeps such a query from
-- the index of all states, which would read every open issue.
DROP INDEX ops_issues_unfiled;
CREATE INDEX ops_issues_unfiled ON ops_issues (rule_severity, id)
  WHERE gh_issue_number IS NULL AND fingerprint IS NOT NULL AND +status IN ('open', 'triaged', 'in_progress');
CREATE INDEX ops_issues_untold_state ON ops_issues (id)
  WHERE gh_issue_number IS NOT NULL AND fingerprint IS NOT NULL AND gh_state IS NOT
    (CASE WHEN +status IN ('resolved', 'closed') THEN 'closed' WHEN +status = 'in_progress' THEN 'in_progress' ELSE 'open' END);
CREATE INDEX ops_issues_untold_returns ON ops_issues (id)
  WHERE gh_issue_number IS NOT NULL AND +status IN ('open', 'triaged', 'in_progress') AND occurrences > told_occurrences;
CREATE INDEX ops_issues_quiet ON ops_issues (last_seen)
  WHERE fingerprint IS NOT NULL AND +status IN ('open', 'triaged');
CREATE INDEX ops_issues_unjudged ON ops_issues (rule_severity, id DESC)
  WHERE judged_by = 'rule' AND fingerprint IS NOT NULL AND +status IN ('open', 'triaged', 'in_progress');
CREATE INDEX ops_issues_claims ON ops_issues (claim_expires_at) WHERE +status = 'in_progress';
CREATE INDEX ops_issues_to_alert ON ops_issues (id)
  WHERE +rule_severity <= 2 AND +status IN ('open', 'triaged', 'in_progress') AND reopened > coalesce(alerted, -1);
CREATE INDEX ops_issues_alert_over ON ops_issues (id) WHERE alert_open = 1 AND +status IN ('resolved', 'closed');

CREATE INDEX ops_issue_commits_seen ON ops_issue_commits (first_seen);
