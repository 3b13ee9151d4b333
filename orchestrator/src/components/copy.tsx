import { Check, Copy } from "lucide-react";
import { useState } from "react";
import { cn } from "../lib/cn.ts";
import { notify } from "./notices.tsx";
import { Button } from "./ui/button.tsx";

async function write(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    notify({ status: "patch_failed", title: "Could not copy", text: "The browser did not allow it." });
    return false;
  }
}

/** Puts a text on the clipboard and says so for a moment. */
export function CopyButton({
  text,
  label,
  children,
  className,
}: {
  text: string | (() => string);
  label: string;
  children?: string;
  className?: string;
}) {
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    if (!(await write(typeof text === "function" ? text() : text))) return;
    setCopied(true);
    setTimeout(() => setCopied(false), 1_500);
  };
  const icon = copied ? <Check className="text-applied" /> : <Copy />;
  return children === undefined ? (
    <Button
      variant="ghost"
      size="icon"
      className={cn("size-5 [&_svg]:size-3", className)}
      aria-label={copied ? "Copied" : label}
      onClick={() => void copy()}
    >
      {icon}
    </Button>
  ) : (
    <Button className={className} aria-label={copied ? "Copied" : label} onClick={() => void copy()}>
      {icon}
      {copied ? "Copied" : children}
    </Button>
  );
}

/** An id or a hash: cut short where it must be, whole in its title and on the clipboard. */
export function Identifier({
  value,
  label,
  short = false,
  className,
}: {
  value: string;
  label: string;
  short?: boolean;
  className?: string;
}) {
  return (
    <span className={cn("inline-flex min-w-0 max-w-full items-center gap-1", className)}>
      <span className="truncate font-mono text-xs" title={value}>
        {short && value.length > 20 ? `${value.slice(0, 10)}…${value.slice(-6)}` : value}
      </span>
      <CopyButton text={value} label={`Copy ${label}`} />
    </span>
  );
}
