import { X } from "lucide-react";
import { create } from "zustand";
import { cn } from "../lib/cn.ts";
import { StatusMark } from "./status.tsx";
import { Button } from "./ui/button.tsx";

interface Notice {
  id: number;
  status: string;
  title: string;
  text?: string;
}

const useNotices = create<{ notices: readonly Notice[] }>(() => ({ notices: [] }));
const SHOWN_MS = 6_000;
let next = 0;

const dismiss = (id: number): void =>
  useNotices.setState((state) => ({ notices: state.notices.filter((notice) => notice.id !== id) }));

/** Says what became of something the reader did. `status` gives its shape and colour. */
export function notify(notice: Omit<Notice, "id">): void {
  const id = ++next;
  useNotices.setState((state) => ({ notices: [...state.notices.slice(-2), { ...notice, id }] }));
  setTimeout(() => dismiss(id), SHOWN_MS);
}

export function Notices() {
  const notices = useNotices((state) => state.notices);
  return (
    <div
      aria-live="polite"
      className="pointer-events-none fixed right-4 bottom-20 z-50 flex w-[min(22rem,calc(100vw-2rem))] flex-col gap-2 md:bottom-10"
    >
      {notices.map((notice) => (
        <div
          key={notice.id}
          className={cn(
            "pointer-events-auto flex items-start gap-2.5 rounded-lg border border-line bg-surface p-3 shadow-pop animate-pop",
          )}
        >
          <StatusMark status={notice.status} className="mt-0.5" />
          <div className="min-w-0 flex-1">
            <p className="text-sm font-medium">{notice.title}</p>
            {notice.text ? <p className="mt-0.5 break-words text-xs text-ink-2">{notice.text}</p> : null}
          </div>
          <Button variant="ghost" size="icon" className="-m-1" aria-label="Dismiss" onClick={() => dismiss(notice.id)}>
            <X />
          </Button>
        </div>
      ))}
    </div>
  );
}
