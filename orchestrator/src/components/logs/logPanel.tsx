import type { OperationLog } from "@shared/contracts";
import { Link } from "@tanstack/react-router";
import { X } from "lucide-react";
import type { ReactNode } from "react";
import { duration, moment } from "../../lib/format.ts";
import type { LogFilter } from "../../logs/filter.ts";
import { CopyButton } from "../copy.tsx";
import { Button } from "../ui/button.tsx";
import { LevelTag } from "./level.tsx";

/** One line with all its fields, and the ways from it: to its order and patch, and to what belongs with it. */
export function LogPanel({
  line,
  onFilter,
  onClose,
}: {
  line: OperationLog;
  onFilter: (change: Partial<LogFilter>) => void;
  onClose: () => void;
}) {
  const narrow = (change: Partial<LogFilter>, text: string): ReactNode => (
    <button
      type="button"
      className="text-left font-mono text-xs break-all text-accent-ink hover:underline"
      title="Show only these"
      onClick={() => onFilter(change)}
    >
      {text}
    </button>
  );
  return (
    <div className="flex h-full min-h-0 flex-col bg-bg" data-testid="log-panel">
      <header className="flex min-h-11 shrink-0 items-center gap-2 border-b border-line px-4">
        <LevelTag level={line.level} />
        <h2 className="min-w-0 flex-1 truncate font-mono text-xs font-semibold">{line.operation}</h2>
        <CopyButton text={JSON.stringify(line, null, 2)} label="Copy the line as JSON">
          Copy
        </CopyButton>
        <Button variant="ghost" size="icon" aria-label="Close" onClick={onClose}>
          <X />
        </Button>
      </header>
      <div className="min-h-0 flex-1 space-y-4 overflow-y-auto p-4" tabIndex={0} role="region" aria-label="The line">
        <p className="text-sm break-words whitespace-pre-wrap">{line.message}</p>
        <dl className="grid grid-cols-[6rem_1fr] gap-x-3 gap-y-1.5 text-sm">
          <Row term="Time">{moment(line.ts)}</Row>
          <Row term="Source">{narrow({ source: line.source }, line.source)}</Row>
          <Row term="Operation">{narrow({ operation: line.operation }, line.operation)}</Row>
          <Row term="Outcome">{line.outcome}</Row>
          <Row term="Took">{line.duration_ms === null ? null : duration(line.duration_ms)}</Row>
          <Row term="Order">
            {line.order_id === null ? null : (
              <span className="flex flex-wrap items-baseline gap-x-3">
                <Link
                  to="/orders/$orderId"
                  params={{ orderId: line.order_id }}
                  className="font-mono text-xs break-all text-accent-ink hover:underline"
                >
                  {line.order_id}
                </Link>
                {narrow({ order: line.order_id }, "only its lines")}
              </span>
            )}
          </Row>
          <Row term="Task">{line.task_id === null ? null : narrow({ task: line.task_id }, line.task_id)}</Row>
          <Row term="Patch">
            {line.patch_id === null ? null : (
              <span className="flex flex-wrap items-baseline gap-x-3">
                <Link
                  to="/live"
                  search={{ patch: line.patch_id }}
                  className="font-mono text-xs break-all text-accent-ink hover:underline"
                >
                  {line.patch_id}
                </Link>
                {narrow({ patch: line.patch_id }, "only its lines")}
              </span>
            )}
          </Row>
          <Row term="Workspace">{line.workspace_id}</Row>
          <Row term="Request">
            {line.request_id === null ? null : narrow({ request: line.request_id }, line.request_id)}
          </Row>
          <Row term="Row">{String(line.id)}</Row>
        </dl>
        {line.meta === null ? null : (
          <pre
            tabIndex={0}
            className="overflow-x-auto rounded-md border border-line bg-sunken p-3 font-mono text-xs whitespace-pre-wrap break-all"
          >
            {pretty(line.meta)}
          </pre>
        )}
      </div>
    </div>
  );
}

function Row({ term, children }: { term: string; children: ReactNode }) {
  return children === null ? null : (
    <>
      <dt className="text-ink-3">{term}</dt>
      <dd className="min-w-0 break-words">{children}</dd>
    </>
  );
}

function pretty(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}
