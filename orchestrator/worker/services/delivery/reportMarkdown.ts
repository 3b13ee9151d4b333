import { type DeliveryReport, withinBudget } from "@shared/contracts";
import { escapeMarkdown as text, table } from "./markdown.ts";

/** UTF-16 units of a table's rows; the JSON has more of them. What is hostile grows when it is escaped. */
const TABLE_BUDGET = 40_000;

/** A report as a page a person reads. Every text in it that came from outside is escaped. */
export function reportMarkdown(report: DeliveryReport): string {
  const { asked, delivered } = report;
  const title = asked.order === null ? "" : `: ${text(asked.order.title)}`;
  return [
    `# Delivery report: order ${text(report.order_id)}${title}`,
    `Version ${report.version}, ${report.generated_at}`,
    ...figures(report),
    "## What was asked",
    ...askedFor(asked),
    ...section("Phases", phases(delivered.phases)),
    ...section("Files", files(delivered)),
    ...section("Failures", failures(delivered.failures)),
    ...section("Reverted", reverts(delivered.reverts)),
    ...section("Checks", checks(delivered.checks)),
    ...section("Providers", providers(report)),
    ...section("Patches", patches(delivered.patch_list)),
    "## Custody",
    ...custody(report),
  ].join("\n\n");
}

type Delivered = DeliveryReport["delivered"];

const section = (title: string, body: string | null): string[] => (body === null ? [] : [`## ${title}`, body]);

function figures({ delivered }: DeliveryReport): string[] {
  const { patches: counts, success_rate: rate, duration_ms: milliseconds } = delivered;
  const rows = [
    ["Patches", `${counts.total}`],
    ["Success rate", rate === null ? "no outcome yet" : `${rate} % of those whose outcome is known`],
    ["Applied · validated", `${counts.applied} · ${counts.validated}`],
    ["Failed · reverted", `${counts.failed} · ${counts.reverted}`],
    ["Waiting for their outcome", `${counts.requested}`],
    ["Lines", `+${delivered.lines_added} −${delivered.lines_removed}`],
    ["Files", `${delivered.files.items.length + delivered.files.omitted}`],
    ["Duration", milliseconds === null ? "none" : `${span(milliseconds)} (engine ${span(delivered.engine_ms)})`],
    ["From · to", `${text(delivered.first_event ?? "none")} · ${text(delivered.last_event ?? "none")}`],
  ];
  return [table(["", ""], rows)];
}

function askedFor({ order, tasks }: DeliveryReport["asked"]): string[] {
  if (order === null) return ["Patches name this order; it was never placed."];
  const rows = tasks.items.map((task) => [text(task.id), text(task.title), task.type, task.status]);
  return [
    `${text(order.title)} (${order.factory}, ${order.status}), placed by ${text(order.created_by)} at ${text(order.created_at)}.`,
    ...(order.description === "" ? [] : [`> ${text(order.description, 4000)}`]),
    ...(rows.length === 0 ? [] : [table(["Task", "Title", "Type", "Status"], rows) + more(tasks.omitted)]),
  ];
}

const phases = ({ items, omitted }: Delivered["phases"]): string | null =>
  list(
    ["Phase", "Patches", "Succeeded", "Failed", "Reverted", "Last message", "From", "To"],
    items.map((phase) => [
      phase.phase === null ? "none named" : text(phase.phase),
      `${phase.patches}`,
      `${phase.succeeded}`,
      `${phase.failed}`,
      `${phase.reverted}`,
      phase.last_message === null ? "" : text(phase.last_message),
      text(phase.from),
      text(phase.to),
    ]),
    omitted,
  );

const files = ({ files: { items, omitted } }: Delivered): string | null =>
  list(
    ["File", "Patches", "Added", "Removed"],
    items.map((file) => [text(file.file), `${file.patches}`, `+${file.lines_added}`, `−${file.lines_removed}`]),
    omitted,
  );

const failures = ({ items, omitted }: Delivered["failures"]): string | null =>
  list(
    ["Patch", "File", "Error", "Patches refused with it", "Resolved"],
    items.map((failure) => [
      text(failure.patch_id),
      text(failure.file),
      `${text(failure.code)}: ${text(failure.message)}`,
      `${failure.patches}`,
      failure.resolution === null
        ? "no"
        : `${RESOLVED[failure.resolution.how]} ${text(failure.resolution.patch_id)}, ${text(failure.resolution.ts)}`,
    ]),
    omitted,
  );
const RESOLVED = { again: "sent again as", corrected: "corrected by", replaced: "a later patch stands:" } as const;

const reverts = ({ items, omitted }: Delivered["reverts"]): string | null =>
  list(
    ["Patch", "File", "By", "Reason", "When"],
    items.map((revert) => [
      text(revert.patch_id),
      text(revert.file),
      text(revert.requester ?? ""),
      text(revert.reason ?? ""),
      text(revert.ts),
    ]),
    omitted,
  );

function checks({ types, workspace }: Delivered["checks"]): string {
  const rows = workspace.items.map((check) => [text(check.name), `${check.passed}`, `${check.failed}`, ""]);
  const own = ["Types", `${types.passed}`, `${types.failed}`, `${types.not_run}`];
  return table(["Check", "Passed", "Did not pass", "Not run"], [own, ...rows]) + more(workspace.omitted);
}

function providers({ delivered, costs }: DeliveryReport): string | null {
  const rows = delivered.providers.items.map((item) => [
    text(item.provider),
    text(item.model ?? ""),
    `${item.patches}`,
    `${item.succeeded}`,
    `${item.failed}`,
  ]);
  const spent = costs.items.map((item) => [
    text(item.provider),
    text(item.model ?? ""),
    `${item.executions}`,
    `${item.input_tokens} · ${item.output_tokens}`,
    `$${item.cost_usd.toFixed(4)}`,
    span(item.duration_ms),
  ]);
  const wrote = list(["Provider", "Model", "Patches", "Succeeded", "Failed"], rows, delivered.providers.omitted);
  const cost = list(["Provider", "Model", "Runs", "Tokens in · out", "Cost", "Time"], spent, costs.omitted);
  const shown = [wrote, cost].flatMap((part) => part ?? []);
  return shown.length === 0 ? null : shown.join("\n\n");
}

const patches = ({ items, omitted }: Delivered["patch_list"]): string | null =>
  list(
    ["Patch", "File", "Operation", "Status", "Lines", "Requester", "Reason", "When"],
    items.map((patch) => [
      text(patch.patch_id),
      text(patch.file),
      text(patch.op),
      patch.status,
      `+${patch.lines_added} −${patch.lines_removed}`,
      text(patch.requester ?? ""),
      text(patch.reason ?? "", 160),
      text(patch.ts),
    ]),
    omitted,
  );

function custody({ order_id: orderId, custody: heads, delivered, sha256 }: DeliveryReport): string[] {
  const rows = heads.map(({ workspace_id: workspaceId, head }) => {
    const chain = delivered.chains.find((one) => one.workspace_id === workspaceId);
    return [
      text(workspaceId),
      `${head.seq}`,
      `\`${head.hash}\``,
      `${chain?.events ?? 0}`,
      `\`${chain?.tree ?? "none"}\``,
    ];
  });
  return [
    table(["Workspace", "Links", "Head", "Of this order", "Tree after its last edit"], rows),
    `This report: \`${sha256}\``,
    [
      "To verify it, take the JSON of this report and the export of its chains, and hold one against the other. Every",
      "link's hash is SHA-256 over its RFC 8785 text; nothing else of this installation is needed:",
    ].join("\n"),
    [
      "```sh",
      `curl -H "authorization: Bearer $TOKEN" "$VIBEHQ/api/delivery/reports?order_id=${orderId}" > report.json`,
      `curl -H "authorization: Bearer $TOKEN" "$VIBEHQ/api/patches/custody?order_id=${orderId}" > events.ndjson`,
      "node scripts/verifyReport.ts report.json events.ndjson",
      "```",
    ].join("\n"),
  ];
}

function list(head: string[], rows: string[][], omitted: number): string | null {
  if (rows.length === 0) return null;
  const shown = withinBudget(TABLE_BUDGET, rows);
  return table(head, shown.items) + more(omitted + shown.omitted);
}

const more = (count: number): string => (count === 0 ? "" : `\n\n${count} more are left out here.`);

/** Milliseconds as a person says them. */
function span(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 1) return `${Math.round(milliseconds)} ms`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
