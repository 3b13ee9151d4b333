-- A project's issues, by its repository: of its builds, and filed there. The expressions stand word for word in
-- services/ops/listOpsIssues.ts.
CREATE INDEX ops_issues_of_repo ON ops_issues (lower(repo)) WHERE repo IS NOT NULL;
CREATE INDEX ops_issues_filed_in ON ops_issues (
  lower(replace(rtrim(substr(substr(gh_issue_url, instr(gh_issue_url, '://') + 3), instr(substr(gh_issue_url, instr(gh_issue_url, '://') + 3), '/') + 1), '0123456789'), '/issues/', ''))
) WHERE gh_issue_url IS NOT NULL;

-- How many there are of each Worker and repository; the columns themselves stand in it so that it answers alone.
CREATE INDEX ops_issues_by_source ON ops_issues (kind, coalesce(worker, repo), worker, repo);
