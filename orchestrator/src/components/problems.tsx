import { CloudOff, LockKeyhole, SearchX, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { ApiError } from "../api/client.ts";
import { cn } from "../lib/cn.ts";
import { Button } from "./ui/button.tsx";

/** What went wrong, in the reader's words, and what can be done about it. */
function explain(error: unknown): { icon: ReactNode; title: string; text: string } {
  if (!(error instanceof ApiError))
    return {
      icon: <TriangleAlert />,
      title: "Something failed in this page",
      text: error instanceof Error ? error.message : "",
    };
  const { code, message } = error.detail;
  if (code === "UNREACHABLE" || code === "SHUTTING_DOWN")
    return {
      icon: <CloudOff />,
      title: "The orchestrator does not answer",
      text: "What is shown may be old. This page asks again by itself once it is back.",
    };
  if (code === "FORBIDDEN") return { icon: <LockKeyhole />, title: "Your token does not reach this", text: message };
  if (code.endsWith("NOT_FOUND")) return { icon: <SearchX />, title: "There is nothing here", text: message };
  return { icon: <TriangleAlert />, title: "This could not be read", text: `${code}: ${message}` };
}

export function Problem({ error, retry, className }: { error: unknown; retry?: () => void; className?: string }) {
  const { icon, title, text } = explain(error);
  return (
    <div role="alert" className={cn("flex flex-col items-center justify-center px-6 py-12 text-center", className)}>
      <div className="mb-3 text-failed [&_svg]:size-6 [&_svg]:stroke-[1.5]">{icon}</div>
      <p className="text-sm font-medium">{title}</p>
      <p className="mt-1 max-w-md break-words text-sm text-ink-2">{text}</p>
      {retry ? (
        <Button className="mt-4" onClick={retry}>
          Try again
        </Button>
      ) : null}
    </div>
  );
}
