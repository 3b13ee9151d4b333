import { X } from "lucide-react";
import { AlertDialog as Alert, Dialog as Base } from "radix-ui";
import type { ComponentProps, ReactNode } from "react";
import { cn } from "../../lib/cn.ts";
import { Button } from "./button.tsx";

const overlay = "fixed inset-0 z-40 bg-black/45 backdrop-blur-[1px]";
const panel =
  "fixed left-1/2 top-[12vh] z-50 flex max-h-[76vh] w-[calc(100vw-2rem)] max-w-lg -translate-x-1/2 flex-col overflow-hidden rounded-xl border border-line bg-surface shadow-pop animate-pop focus:outline-none";

export const Dialog = Base.Root;
export const DialogTrigger = Base.Trigger;
export const DialogClose = Base.Close;

export function DialogContent({
  title,
  description,
  className,
  children,
  ...props
}: Omit<ComponentProps<typeof Base.Content>, "title"> & { title: string; description?: ReactNode }) {
  return (
    <Base.Portal>
      <Base.Overlay className={overlay} />
      <Base.Content
        className={cn(panel, className)}
        {...(description ? {} : { "aria-describedby": undefined })}
        {...props}
      >
        <header className="flex items-start justify-between gap-4 border-b border-line px-5 py-4">
          <div>
            <Base.Title className="text-base font-semibold">{title}</Base.Title>
            {description ? <Base.Description className="mt-0.5 text-ink-2">{description}</Base.Description> : null}
          </div>
          <Base.Close asChild>
            <Button variant="ghost" size="icon" aria-label="Close">
              <X />
            </Button>
          </Base.Close>
        </header>
        <div className="min-h-0 overflow-y-auto p-5">{children}</div>
      </Base.Content>
    </Base.Portal>
  );
}

export const AlertDialog = Alert.Root;
export const AlertDialogTrigger = Alert.Trigger;
export const AlertDialogCancel = Alert.Cancel;

export function AlertDialogContent({
  title,
  description,
  className,
  children,
  ...props
}: Omit<ComponentProps<typeof Alert.Content>, "title"> & { title: string; description: ReactNode }) {
  return (
    <Alert.Portal>
      <Alert.Overlay className={overlay} />
      <Alert.Content className={cn(panel, "p-5", className)} {...props}>
        <Alert.Title className="text-base font-semibold">{title}</Alert.Title>
        <Alert.Description className="mt-1 text-ink-2">{description}</Alert.Description>
        {children}
      </Alert.Content>
    </Alert.Portal>
  );
}

/** A panel that comes in from the right, or over all of a narrow screen. */
export function SheetContent({
  title,
  className,
  children,
  ...props
}: Omit<ComponentProps<typeof Base.Content>, "title"> & { title: string }) {
  return (
    <Base.Portal>
      <Base.Overlay className={overlay} />
      <Base.Content
        aria-describedby={undefined}
        className={cn(
          "fixed inset-y-0 right-0 z-50 flex w-full max-w-2xl flex-col overflow-hidden border-l border-line bg-bg shadow-pop focus:outline-none",
          className,
        )}
        {...props}
      >
        <Base.Title className="sr-only">{title}</Base.Title>
        {children}
      </Base.Content>
    </Base.Portal>
  );
}
