import type { Generated } from "kysely";

// Written by `npm run db:generate` from migrations/; a test fails where the two differ.

interface OpsAiDeadLettersTable {
  id: string;
  queue: string;
  message: string;
  execution_id: string | null;
  reason: string | null;
  attempts: Generated<number>;
  status: Generated<"dead" | "redriven" | "discarded">;
  created_at: string;
  redriven_at: string | null;
}

interface OpsAiExecutionOutputTable {
  execution_id: string;
  attempt: number;
  seq: number;
  ts: string;
  type: string;
  body: string;
}

interface OpsAiProviderAssignmentsTable {
  id: Generated<number>;
  task_uuid: string;
  provider_name: string;
  provider_type: "jules" | "cli" | "model";
  status: Generated<"pending" | "assigned" | "running" | "waiting" | "completed" | "failed" | "cancelled">;
  execution_id: string | null;
  order_id: string | null;
  assigned_by: string | null;
  reason: string | null;
  created_at: Generated<string>;
  updated_at: Generated<string>;
  decision: string | null;
}

interface OpsAiProviderAttemptsTable {
  execution_id: string;
  attempt: number;
  provider_name: string;
  model: string | null;
  status: Generated<"running" | "ended">;
  class: string | null;
  message: string | null;
  error: string | null;
  batch_id: string | null;
  external_id: string | null;
  base_commit: string | null;
  cli_version: string | null;
  input: string | null;
  patch_data: string | null;
  input_tokens: number | null;
  output_tokens: number | null;
  cached_tokens: number | null;
  cost_usd: number | null;
  duration_ms: number | null;
  started_at: string;
  finished_at: string | null;
}

interface OpsAiProviderConfigsTable {
  provider_name: string;
  api_endpoint: string | null;
  default_model: string | null;
  rate_limits: string | null;
  cost_per_token: number | null;
  enabled: Generated<number>;
  updated_at: Generated<string>;
}

interface OpsAiProviderExecutionsTable {
  execution_id: string;
  provider_name: string;
  task_uuid: string;
  input: string | null;
  output: string | null;
  patch_data: string | null;
  status: Generated<"queued" | "running" | "waiting" | "completed" | "failed" | "cancelled" | "timed_out">;
  duration_ms: number | null;
  order_id: string | null;
  model: string | null;
  input_tokens: number | null;
  output_tokens: number | null;
  cost_usd: number | null;
  error: string | null;
  batch_id: string | null;
  created_at: Generated<string>;
  started_at: string | null;
  finished_at: string | null;
  workspace_id: Generated<string>;
  class: string | null;
  attempts: Generated<number>;
  race: string | null;
  created_by: Generated<string>;
  hil_request_id: string | null;
  cancel_reason: string | null;
}

interface OpsAiRouterOutcomesTable {
  execution_id: string;
  attempt: number;
  task_type: string;
  language: string;
  provider_name: string;
  model: string;
  class: string;
  batch_id: string;
  reward: number | null;
  weight: number | null;
  cost_usd: number | null;
  at: string;
  stale: Generated<number>;
}

interface OpsAlertDeliveriesTable {
  id: string;
  webhook_id: string;
  alert_id: string;
  message_id: string;
  kind: string;
  body: string;
  status: Generated<"pending" | "delivered" | "failed" | "cancelled">;
  attempts: Generated<number>;
  response_status: number | null;
  error: string | null;
  duration_ms: number | null;
  next_attempt_at: string | null;
  leased_until: string | null;
  created_at: string;
  delivered_at: string | null;
}

interface OpsAlertWebhooksTable {
  id: string;
  name: string;
  url: string;
  kinds: Generated<string>;
  min_severity: "info" | "warning" | "critical";
  enabled: Generated<number>;
  disabled_reason: string | null;
  failing_since: string | null;
  last_success_at: string | null;
  secrets: string;
  created_by: string;
  created_at: string;
  deleted_at: string | null;
}

interface OpsAlertsTable {
  id: string;
  kind: string;
  severity: "info" | "warning" | "critical";
  title: string;
  text: string;
  dedupe_key: string;
  worker: string | null;
  order_id: string | null;
  project_id: string | null;
  data: Generated<string>;
  status: Generated<"open" | "resolved">;
  count: Generated<number>;
  told: Generated<number>;
  first_at: string;
  last_at: string;
  told_at: string;
  told_by: string;
  announced_at: string | null;
  resolved_at: string | null;
  resolved_by: string | null;
}

interface OpsApiTokensTable {
  id: string;
  name: string;
  prefix: string;
  hash: string;
  scopes: string;
  requesters: string | null;
  workspace_id: string | null;
  created_by: string;
  created_at: string;
  expires_at: string | null;
  revoked_at: string | null;
  last_used_at: string | null;
}

interface OpsDeliveryCursorTable {
  id: Generated<number>;
  custody_id: number;
}

interface OpsDeliveryOrdersTable {
  order_id: string;
  workspace_id: string;
  seq: number;
  reported_seq: Generated<number>;
}

interface OpsDeliveryReportVersionsTable {
  order_id: string;
  version: number;
  report_md: string;
  report_json: string;
  success_rate: number | null;
  total_patches: number | null;
  workspace_id: string | null;
  factory: string | null;
  events: number;
  created_at: string | null;
}

interface OpsDeliveryReportsTable {
  id: Generated<number>;
  order_id: string;
  report_md: string;
  report_json: string | null;
  success_rate: number | null;
  total_patches: number | null;
  created_at: Generated<string | null>;
  version: Generated<number>;
  workspace_id: string | null;
  factory: string | null;
  events: Generated<number>;
  content_hash: Generated<string>;
  pushed_version: Generated<number>;
}

interface OpsGithubChecksTable {
  repository: string;
  head_sha: string;
  suite_id: number;
  name: string;
  run_id: number;
  status: "queued" | "in_progress" | "completed";
  conclusion: string | null;
  at: string;
  seen_at: string;
}

interface OpsGithubDeliveriesTable {
  delivery: string;
  body_hash: string;
  event: string;
  said: string;
  received_at: string;
  handled_at: string | null;
  tries: Generated<number>;
  failure: string | null;
  given_up_at: string | null;
}

interface OpsHilRequestsTable {
  id: string;
  kind: "clarification" | "plan-approval" | "failure";
  status: Generated<"open" | "answered" | "expired" | "cancelled">;
  order_id: string | null;
  task_uuid: string | null;
  execution_id: string | null;
  question: string;
  options: Generated<string>;
  answer: string | null;
  answered_by: string | null;
  created_at: string;
  answered_at: string | null;
  expires_at: string;
  workspace_id: string | null;
  told_at: string | null;
}

interface OpsOpsCursorsTable {
  name: string;
  position: number;
}

interface OpsOpsIssueCommitsTable {
  issue_id: number;
  commit_sha: string;
  first_seen: string;
}

interface OpsOpsIssuesTable {
  id: Generated<number>;
  kind: "worker-log" | "build-log";
  severity: number;
  status: Generated<"open" | "triaged" | "in_progress" | "resolved" | "closed">;
  worker: string | null;
  repo: string | null;
  run_id: string | null;
  prompt: string;
  analysis: string;
  gh_issue_number: number | null;
  gh_issue_url: string | null;
  fingerprint: string | null;
  occurrences: Generated<number>;
  claimed_by: string | null;
  claimed_at: string | null;
  created_at: Generated<string | null>;
  fingerprint_version: number | null;
  template: string | null;
  frame: string | null;
  rule_severity: number | null;
  judged_by: string | null;
  first_seen: string | null;
  last_seen: string | null;
  updated_at: string | null;
  closed_at: string | null;
  reopened: Generated<number>;
  claim_expires_at: string | null;
  order_id: string | null;
  filing_by: string | null;
  filing_at: string | null;
  gh_state: string | null;
  told_occurrences: Generated<number>;
  told_at: string | null;
  gh_updated_at: string | null;
  alerted: number | null;
  alert_open: Generated<number>;
}

interface OpsOpsRerunRequestsTable {
  repository: string;
  run_id: number;
  attempt: number;
  asked_at: string;
  due_at: string;
}

interface OpsOpsScanRequestsTable {
  scope: "cloudflare" | "cicd" | "full";
  asked_at: string;
  due_at: string;
}

interface OpsOpsScansTable {
  id: Generated<number>;
  scope: "cloudflare" | "cicd" | "full";
  started_at: Generated<string>;
  finished_at: string | null;
  totals: string | null;
  outcome: "done" | "partial" | "failed" | "stuck" | null;
  error: string | null;
  started_by: string | null;
  lease_until: string | null;
}

interface OpsOrderPullRequestsTable {
  repository: string;
  number: number;
  order_id: string;
  url: string;
  head_ref: string;
  head_sha: string;
  base_ref: string;
  state: "open" | "closed" | "merged";
  draft: Generated<number>;
  created_at: string;
  gh_updated_at: string;
  closed_at: string | null;
  merged_at: string | null;
  told_state: string | null;
  comment_id: number | null;
  comment_hash: string | null;
  commenting_by: string | null;
  commenting_at: string | null;
  comment_error: string | null;
  report_hash: string | null;
  comment_tried_at: string | null;
}

interface OpsPatchCustodyTable {
  id: Generated<number>;
  patch_id: string | null;
  factory: string | null;
  event_type: string | null;
  message: string | null;
  ts: Generated<string | null>;
  workspace_id: string;
  seq: number;
  kind: "patch" | "phase";
  batch_id: string | null;
  order_id: string | null;
  project_id: string | null;
  phase: string | null;
  meta: string | null;
  prev_hash: string;
  hash: string;
}

interface OpsPatchDaysTable {
  project_id: string;
  day: string;
  patches: number;
  requested: number;
  applied: number;
  validated: number;
  refused: number;
  reverted: number;
  ok: number;
  failed: number;
  stands: number;
  lines_added: number;
  lines_removed: number;
  timed: number;
  duration_ms: number;
  first_at: string;
  last_at: string;
}

interface OpsPatchDurationDaysTable {
  project_id: string;
  day: string;
  bucket: number;
  patches: number;
  duration_ms: number;
}

interface OpsPatchErrorDaysTable {
  project_id: string;
  day: string;
  code: string;
  template: string;
  patches: number;
}

interface OpsPatchEventsTable {
  id: Generated<number>;
  patch_id: string;
  task_id: string | null;
  file_path: string;
  op: string;
  ts_check_ok: Generated<number | null>;
  diff_path: string | null;
  meta: string | null;
  created_at: Generated<string | null>;
  workspace_id: string;
  seq: number;
  batch_id: string | null;
  event_type: string;
  order_id: string | null;
  project_id: string | null;
  actor: string;
  requester: string | null;
  reason: string | null;
  phase: string | null;
  provider: string | null;
  model: string | null;
  error_code: string | null;
  lines_added: number | null;
  lines_removed: number | null;
  log_seq: number | null;
  log_hash: string | null;
  tree_after: string | null;
  prev_hash: string;
  hash: string;
  duration_ms: number | null;
  error_template: string | null;
  patch_factory: string | null;
}

interface OpsPatchEventsSearchTable {
  rowid: Generated<number>;
  file_path: string;
  op: string;
  patch_id: string;
  meta: string;
  patch_events_search: Generated<string>;
  rank: Generated<number>;
}

interface OpsPatchFactoryDaysTable {
  project_id: string;
  day: string;
  factory: string;
  patches: number;
  requested: number;
  applied: number;
  validated: number;
  refused: number;
  reverted: number;
  ok: number;
  failed: number;
  stands: number;
  lines_added: number;
  lines_removed: number;
  timed: number;
  duration_ms: number;
  first_at: string;
  last_at: string;
}

interface OpsPatchOpDaysTable {
  project_id: string;
  day: string;
  op: string;
  patches: number;
  requested: number;
  applied: number;
  validated: number;
  refused: number;
  reverted: number;
  ok: number;
  failed: number;
  stands: number;
  lines_added: number;
  lines_removed: number;
  timed: number;
  duration_ms: number;
  first_at: string;
  last_at: string;
}

interface OpsPatchOrderDaysTable {
  day: string;
  order_id: string;
  project_id: string;
  patches: number;
  requested: number;
  applied: number;
  validated: number;
  refused: number;
  reverted: number;
  ok: number;
  failed: number;
  stands: number;
  lines_added: number;
  lines_removed: number;
  timed: number;
  duration_ms: number;
  first_at: string;
  last_at: string;
}

interface OpsPatchPhaseDaysTable {
  project_id: string;
  day: string;
  phase: string;
  patches: number;
  requested: number;
  applied: number;
  validated: number;
  refused: number;
  reverted: number;
  ok: number;
  failed: number;
  stands: number;
  lines_added: number;
  lines_removed: number;
  timed: number;
  duration_ms: number;
  first_at: string;
  last_at: string;
}

interface OpsPatchProviderDaysTable {
  project_id: string;
  day: string;
  provider: string;
  patches: number;
  requested: number;
  applied: number;
  validated: number;
  refused: number;
  reverted: number;
  ok: number;
  failed: number;
  stands: number;
  lines_added: number;
  lines_removed: number;
  timed: number;
  duration_ms: number;
  first_at: string;
  last_at: string;
}

interface OpsSessionsTable {
  id: string;
  actor: string;
  token_id: string | null;
  token_hash: string;
  user_agent: string | null;
  created_at: string;
  expires_at: string;
  last_used_at: string | null;
  revoked_at: string | null;
}

interface OpsVPatchActivityTable {
  id: number | null;
  patch_id: string | null;
  task_id: string | null;
  file_path: string | null;
  op: string | null;
  created_at: string | null;
  requester: string | number | null;
  reason: string | number | null;
  error: string | number | null;
}

interface OpsVPatchLivesTable {
  workspace_id: string | null;
  patch_id: string | null;
  day: string | number | null;
  first_at: string | null;
  factory: string | number | null;
  op: string | null;
  provider: string | null;
  phase: string | null;
  order_id: string | null;
  project_id: string | null;
  event_type: string | null;
  ts_check_ok: number | null;
  error_code: string | null;
  error_template: string | number | null;
  lines_added: string | number | null;
  lines_removed: string | number | null;
  last_at: string | number | null;
  timed: string | number | null;
  duration_ms: string | number | null;
}

interface OpsWebhookReceiptsTable {
  sender: string;
  signature: string;
  received_at: string;
}

interface OpsWorkspaceCursorsTable {
  workspace_id: string;
  seq: Generated<number>;
  hash: string;
  updated_at: string;
}

/** DB_OPS */
export interface OpsDatabase {
  ai_dead_letters: OpsAiDeadLettersTable;
  ai_execution_output: OpsAiExecutionOutputTable;
  ai_provider_assignments: OpsAiProviderAssignmentsTable;
  ai_provider_attempts: OpsAiProviderAttemptsTable;
  ai_provider_configs: OpsAiProviderConfigsTable;
  ai_provider_executions: OpsAiProviderExecutionsTable;
  ai_router_outcomes: OpsAiRouterOutcomesTable;
  alert_deliveries: OpsAlertDeliveriesTable;
  alert_webhooks: OpsAlertWebhooksTable;
  alerts: OpsAlertsTable;
  api_tokens: OpsApiTokensTable;
  delivery_cursor: OpsDeliveryCursorTable;
  delivery_orders: OpsDeliveryOrdersTable;
  delivery_report_versions: OpsDeliveryReportVersionsTable;
  delivery_reports: OpsDeliveryReportsTable;
  github_checks: OpsGithubChecksTable;
  github_deliveries: OpsGithubDeliveriesTable;
  hil_requests: OpsHilRequestsTable;
  ops_cursors: OpsOpsCursorsTable;
  ops_issue_commits: OpsOpsIssueCommitsTable;
  ops_issues: OpsOpsIssuesTable;
  ops_rerun_requests: OpsOpsRerunRequestsTable;
  ops_scan_requests: OpsOpsScanRequestsTable;
  ops_scans: OpsOpsScansTable;
  order_pull_requests: OpsOrderPullRequestsTable;
  patch_custody: OpsPatchCustodyTable;
  patch_days: OpsPatchDaysTable;
  patch_duration_days: OpsPatchDurationDaysTable;
  patch_error_days: OpsPatchErrorDaysTable;
  patch_events: OpsPatchEventsTable;
  patch_events_search: OpsPatchEventsSearchTable;
  patch_factory_days: OpsPatchFactoryDaysTable;
  patch_op_days: OpsPatchOpDaysTable;
  patch_order_days: OpsPatchOrderDaysTable;
  patch_phase_days: OpsPatchPhaseDaysTable;
  patch_provider_days: OpsPatchProviderDaysTable;
  sessions: OpsSessionsTable;
  v_patch_activity: OpsVPatchActivityTable;
  v_patch_lives: OpsVPatchLivesTable;
  webhook_receipts: OpsWebhookReceiptsTable;
  workspace_cursors: OpsWorkspaceCursorsTable;
}

interface LogsBuildLogsTable {
  id: Generated<number>;
  source: string;
  repo: string;
  run_id: string;
  level: "debug" | "info" | "warn" | "error";
  message: string;
  meta: string | null;
  ts: Generated<string | null>;
  key: string | null;
  fingerprint: string | null;
  commit_sha: string | null;
}

interface LogsIngestCursorsTable {
  source: string;
  through: string;
  window_end: string | null;
  place: string | null;
  updated_at: string;
  read_at: string | null;
  failing_since: string | null;
  failure: string | null;
}

interface LogsLogRatesTable {
  source: string;
  minute: string;
  written: number;
  dropped: number;
}

interface LogsOperationLogsTable {
  id: Generated<number>;
  source: string;
  operation: string;
  level: "debug" | "info" | "warn" | "error";
  message: string;
  actor: string | null;
  request_id: string | null;
  order_id: string | null;
  task_id: string | null;
  patch_id: string | null;
  duration_ms: number | null;
  meta: string | null;
  ts: Generated<string>;
  outcome: string | null;
  workspace_id: string | null;
}

interface LogsOperationLogsSearchTable {
  rowid: Generated<number>;
  operation: string;
  message: string;
  meta: string;
  operation_logs_search: Generated<string>;
  rank: Generated<number>;
}

interface LogsScheduledRunsTable {
  schedule: string;
  due_at: string;
  started_at: string | null;
  deadline: string | null;
  ended_at: string | null;
  outcome: "running" | "ok" | "failed" | "stuck" | "missed" | "skipped";
  message: string | null;
}

interface LogsSchedulesTable {
  name: string;
  cron: string;
  since: string;
  accounted_until: string;
}

interface LogsWorkerLogsTable {
  id: Generated<number>;
  source: string;
  worker: string;
  level: "debug" | "info" | "warn" | "error";
  message: string;
  meta: string | null;
  ts: Generated<string | null>;
  key: string | null;
  fingerprint: string | null;
  commit_sha: string | null;
}

/** DB_LOGS */
export interface LogsDatabase {
  build_logs: LogsBuildLogsTable;
  ingest_cursors: LogsIngestCursorsTable;
  log_rates: LogsLogRatesTable;
  operation_logs: LogsOperationLogsTable;
  operation_logs_search: LogsOperationLogsSearchTable;
  scheduled_runs: LogsScheduledRunsTable;
  schedules: LogsSchedulesTable;
  worker_logs: LogsWorkerLogsTable;
}

interface ProjectsOrdersTable {
  id: string;
  project_id: string | null;
  title: string;
  description: Generated<string>;
  factory: string;
  status: Generated<"received" | "in_progress" | "delivered" | "failed" | "cancelled">;
  workspace_id: string;
  created_by: string;
  created_at: string;
  updated_at: string;
  routing: string | null;
}

interface ProjectsProjectsTable {
  id: string;
  name: string;
  repository: string | null;
  branch: Generated<string>;
  created_by: string;
  created_at: string;
  updated_at: string;
  routing: string | null;
}

interface ProjectsTasksTable {
  id: string;
  order_id: string;
  title: string;
  type: "generate" | "fix" | "refactor" | "optimize";
  status: Generated<"pending" | "in_progress" | "applied" | "validated" | "failed" | "reverted" | "cancelled">;
  allowed: string;
  max_changed_lines: number | null;
  created_at: string;
  updated_at: string;
}

interface ProjectsWorkspaceCursorsTable {
  workspace_id: string;
  seq: number;
  updated_at: string;
}

/** DB_PROJECTS */
export interface ProjectsDatabase {
  orders: ProjectsOrdersTable;
  projects: ProjectsProjectsTable;
  tasks: ProjectsTasksTable;
  workspace_cursors: ProjectsWorkspaceCursorsTable;
}

interface ChatsAiProviderConversationsTable {
  id: string;
  provider_name: string;
  task_uuid: string | null;
  order_id: string | null;
  execution_id: string | null;
  status: Generated<"open" | "waiting" | "closed">;
  created_at: string;
  updated_at: string;
}

interface ChatsMessagesTable {
  conversation_id: string;
  seq: number;
  role: "system" | "user" | "assistant" | "tool";
  content: string;
  meta: string | null;
  created_at: string;
}

/** DB_CHATS */
export interface ChatsDatabase {
  ai_provider_conversations: ChatsAiProviderConversationsTable;
  messages: ChatsMessagesTable;
}

interface HealthAiLogsTable {
  id: Generated<number>;
  check_uuid: string;
  model: string;
  prompt: string;
  response: string | null;
  error: string | null;
  duration_ms: number;
  created_at: string;
}

interface HealthHealthCheckSchedulesTable {
  id: string;
  name: string;
  workers: string | null;
  profiles: string | null;
  every_minutes: number;
  timeout_ms: Generated<number>;
  max_retries: Generated<number>;
  enabled: Generated<number>;
  next_run_at: string;
  last_run_at: string | null;
  last_check_uuid: string | null;
  missed_runs: Generated<number>;
  stuck_runs: Generated<number>;
  created_by: string;
  created_at: string;
  updated_at: string;
}

interface HealthHealthChecksTable {
  uuid: string;
  trigger_type: "manual" | "schedule" | "rpc" | "heartbeat";
  schedule_id: string | null;
  status: Generated<"queued" | "running" | "passed" | "failed" | "timed_out">;
  workers: string;
  profiles: string;
  timeout_ms: number;
  max_retries: number;
  requested_by: string;
  total_workers: Generated<number>;
  passed_workers: Generated<number>;
  failed_workers: Generated<number>;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  deadline_at: string;
}

interface HealthHealthSummariesTable {
  worker_name: string;
  day: string;
  checks: Generated<number>;
  passed: Generated<number>;
  failed: Generated<number>;
  timed_out: Generated<number>;
  duration_ms: Generated<number>;
  max_duration_ms: Generated<number>;
  last_at: string;
}

interface HealthTestProfilesTable {
  name: string;
  description: string;
  worker_types: Generated<string>;
  is_default: Generated<number>;
  created_at: string;
  updated_at: string;
}

interface HealthTestResultsTable {
  id: Generated<number>;
  worker_check_uuid: string;
  worker_name: string;
  profile: string;
  status: "passed" | "failed" | "skipped";
  code: string | null;
  message: string | null;
  details: Generated<string>;
  attempt: number;
  duration_ms: number;
  created_at: string;
}

interface HealthWorkerHealthChecksTable {
  uuid: string;
  check_uuid: string;
  worker_name: string;
  worker_type: string | null;
  status: Generated<"pending" | "passed" | "failed" | "timed_out">;
  code: string | null;
  message: string | null;
  nonce_hash: string;
  dispatches: Generated<string>;
  attempts: Generated<string>;
  version: string | null;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  duration_ms: number | null;
  deadline_at: string;
  settled_by: string | null;
  settled_seq: number | null;
}

interface HealthWorkerStatesTable {
  worker_name: string;
  kind: Generated<"worker" | "container">;
  status: Generated<"unknown" | "up" | "down">;
  flapping: Generated<number>;
  recent: Generated<string>;
  cursor: Generated<number>;
  told: Generated<string>;
  pending_alerts: Generated<string>;
  revision: Generated<number>;
  changed_at: string | null;
  heartbeat_at: string | null;
  heartbeat_every_s: number | null;
  heartbeat_meta: string | null;
  updated_at: string;
}

/** DB_HEALTH */
export interface HealthDatabase {
  ai_logs: HealthAiLogsTable;
  health_check_schedules: HealthHealthCheckSchedulesTable;
  health_checks: HealthHealthChecksTable;
  health_summaries: HealthHealthSummariesTable;
  test_profiles: HealthTestProfilesTable;
  test_results: HealthTestResultsTable;
  worker_health_checks: HealthWorkerHealthChecksTable;
  worker_states: HealthWorkerStatesTable;
}
