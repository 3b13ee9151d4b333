import { Check, ChevronDown } from "lucide-react";
import {
  Select as BaseSelect,
  Tabs as BaseTabs,
  ToggleGroup as BaseToggle,
  Tooltip as BaseTooltip,
  DropdownMenu as BaseMenu,
  Popover as BasePopover,
  Checkbox as BaseCheckbox,
} from "radix-ui";
import type { ComponentProps, ReactNode } from "react";
import { cn } from "../../lib/cn.ts";

export function Input({ className, ...props }: ComponentProps<"input">) {
  return (
    <input
      className={cn(
        "h-8 w-full min-w-0 rounded-md border border-line bg-surface px-2.5 text-sm text-ink placeholder:text-ink-3 hover:border-line-strong focus:border-accent-ink focus:outline-2 focus:-outline-offset-1 focus:outline-accent-ink disabled:opacity-60",
        className,
      )}
      {...props}
    />
  );
}

export function Textarea({ className, ...props }: ComponentProps<"textarea">) {
  return (
    <textarea
      className={cn(
        "w-full rounded-md border border-line bg-surface px-2.5 py-1.5 text-sm text-ink placeholder:text-ink-3 hover:border-line-strong focus:border-accent-ink focus:outline-2 focus:-outline-offset-1 focus:outline-accent-ink",
        className,
      )}
      {...props}
    />
  );
}

/** A label over its control. */
export function Field({
  label,
  hint,
  children,
  className,
}: {
  label: string;
  hint?: ReactNode;
  children: ReactNode;
  className?: string;
}) {
  return (
    <label className={cn("block", className)}>
      <span className="label mb-1 block">{label}</span>
      {children}
      {hint ? <span className="mt-1 block text-xs text-ink-3">{hint}</span> : null}
    </label>
  );
}

/** One of several values. An empty value stands for the placeholder: all of them. */
export function Select({
  label,
  value,
  onChange,
  options,
  all,
  className,
}: {
  label: string;
  value: string | undefined;
  onChange: (value: string | undefined) => void;
  options: readonly { value: string; label: ReactNode }[];
  /** What no choice is called; absent: one must be chosen. */
  all?: string;
  className?: string;
}) {
  const ALL = "\u0000";
  return (
    <BaseSelect.Root value={value ?? ALL} onValueChange={(next) => onChange(next === ALL ? undefined : next)}>
      <BaseSelect.Trigger
        aria-label={label}
        className={cn(
          "inline-flex h-8 min-w-0 items-center justify-between gap-2 rounded-md border border-line bg-surface px-2.5 text-sm hover:border-line-strong data-[placeholder]:text-ink-3",
          value === undefined ? "text-ink-2" : "text-ink",
          className,
        )}
      >
        <span className="truncate">
          <BaseSelect.Value placeholder={all} />
        </span>
        <ChevronDown className="size-3.5 shrink-0 text-ink-3" aria-hidden />
      </BaseSelect.Trigger>
      <BaseSelect.Portal>
        <BaseSelect.Content
          position="popper"
          sideOffset={4}
          className="z-50 max-h-72 min-w-[var(--radix-select-trigger-width)] overflow-hidden rounded-lg border border-line bg-surface p-1 shadow-pop animate-pop"
        >
          <BaseSelect.Viewport>
            {[...(all === undefined ? [] : [{ value: ALL, label: all }]), ...options].map((option) => (
              <BaseSelect.Item
                key={option.value}
                value={option.value}
                className="flex h-7 cursor-default select-none items-center justify-between gap-4 rounded px-2 text-sm outline-none data-[highlighted]:bg-hover"
              >
                <BaseSelect.ItemText>{option.label}</BaseSelect.ItemText>
                <BaseSelect.ItemIndicator>
                  <Check className="size-3.5 text-accent-ink" />
                </BaseSelect.ItemIndicator>
              </BaseSelect.Item>
            ))}
          </BaseSelect.Viewport>
        </BaseSelect.Content>
      </BaseSelect.Portal>
    </BaseSelect.Root>
  );
}

export const Tabs = BaseTabs.Root;
export const TabsContent = BaseTabs.Content;

export function TabsList({ className, ...props }: ComponentProps<typeof BaseTabs.List>) {
  return (
    <BaseTabs.List
      className={cn("flex items-center gap-1 overflow-x-auto border-b border-line", className)}
      {...props}
    />
  );
}

export function TabsTrigger({ className, ...props }: ComponentProps<typeof BaseTabs.Trigger>) {
  return (
    <BaseTabs.Trigger
      className={cn(
        "relative flex h-9 items-center gap-1.5 whitespace-nowrap px-2.5 text-sm font-medium text-ink-3 transition-colors hover:text-ink data-[state=active]:text-ink",
        "after:absolute after:inset-x-2 after:-bottom-px after:h-0.5 after:rounded-full after:bg-accent-ink after:opacity-0 data-[state=active]:after:opacity-100",
        className,
      )}
      {...props}
    />
  );
}

/** A few exclusive choices side by side. */
export function Segmented<Value extends string>({
  label,
  value,
  onChange,
  options,
  className,
}: {
  label: string;
  value: Value;
  onChange: (value: Value) => void;
  options: readonly { value: Value; label: ReactNode; name?: string }[];
  className?: string;
}) {
  return (
    <BaseToggle.Root
      type="single"
      aria-label={label}
      value={value}
      onValueChange={(next) => {
        const chosen = options.find((option) => option.value === next);
        if (chosen) onChange(chosen.value);
      }}
      className={cn("inline-flex h-7 items-center rounded-md border border-line bg-sunken p-0.5", className)}
    >
      {options.map((option) => (
        <BaseToggle.Item
          key={option.value}
          value={option.value}
          {...(option.name === undefined ? {} : { "aria-label": option.name })}
          className="inline-flex h-full items-center gap-1.5 rounded px-2 text-xs font-medium text-ink-2 transition-colors hover:text-ink data-[state=on]:bg-surface data-[state=on]:text-ink data-[state=on]:shadow-[0_0_0_1px_var(--line)] [&_svg]:size-3.5"
        >
          {option.label}
        </BaseToggle.Item>
      ))}
    </BaseToggle.Root>
  );
}

export const TooltipProvider = BaseTooltip.Provider;

/** More about a control than its label has room for. The trigger must have an accessible name of its own. */
export function Tooltip({
  content,
  children,
  side = "bottom",
}: {
  content: ReactNode;
  children: ReactNode;
  side?: "top" | "bottom" | "left" | "right";
}) {
  return (
    <BaseTooltip.Root>
      <BaseTooltip.Trigger asChild>{children}</BaseTooltip.Trigger>
      <BaseTooltip.Portal>
        <BaseTooltip.Content
          side={side}
          sideOffset={6}
          collisionPadding={8}
          className="z-50 max-w-72 rounded-md border border-line bg-surface px-2 py-1 text-xs text-ink-2 shadow-pop"
        >
          {content}
        </BaseTooltip.Content>
      </BaseTooltip.Portal>
    </BaseTooltip.Root>
  );
}

export const Popover = BasePopover.Root;
export const PopoverTrigger = BasePopover.Trigger;
export function PopoverContent({ className, ...props }: ComponentProps<typeof BasePopover.Content>) {
  return (
    <BasePopover.Portal>
      <BasePopover.Content
        sideOffset={6}
        collisionPadding={8}
        className={cn(
          "z-50 rounded-lg border border-line bg-surface p-3 shadow-pop animate-pop focus:outline-none",
          className,
        )}
        {...props}
      />
    </BasePopover.Portal>
  );
}

export const Menu = BaseMenu.Root;
export const MenuTrigger = BaseMenu.Trigger;
export function MenuContent({ className, ...props }: ComponentProps<typeof BaseMenu.Content>) {
  return (
    <BaseMenu.Portal>
      <BaseMenu.Content
        sideOffset={6}
        collisionPadding={8}
        className={cn(
          "z-50 max-h-(--radix-dropdown-menu-content-available-height) min-w-44 overflow-y-auto rounded-lg border border-line bg-surface p-1 shadow-pop animate-pop",
          className,
        )}
        {...props}
      />
    </BaseMenu.Portal>
  );
}
export function MenuItem({ className, ...props }: ComponentProps<typeof BaseMenu.Item>) {
  return (
    <BaseMenu.Item
      className={cn(
        "flex h-8 cursor-default select-none items-center gap-2 rounded px-2 text-sm text-ink outline-none data-[highlighted]:bg-hover [&_svg]:size-3.5 [&_svg]:text-ink-3",
        className,
      )}
      {...props}
    />
  );
}

export function Checkbox({
  label,
  className,
  ...props
}: ComponentProps<typeof BaseCheckbox.Root> & { label: ReactNode }) {
  return (
    <label className={cn("flex items-center gap-2 text-sm text-ink-2", className)}>
      <BaseCheckbox.Root
        className="grid size-4 place-items-center rounded border border-line-strong bg-surface data-[state=checked]:border-accent data-[state=checked]:bg-accent"
        {...props}
      >
        <BaseCheckbox.Indicator>
          <Check className="size-3 text-on-accent" strokeWidth={3} />
        </BaseCheckbox.Indicator>
      </BaseCheckbox.Root>
      {label}
    </label>
  );
}

export function Kbd({ children, className }: { children: ReactNode; className?: string }) {
  return (
    <kbd
      className={cn(
        "inline-flex h-4.5 min-w-4.5 items-center justify-center rounded border border-line bg-sunken px-1 font-sans text-2xs font-medium text-ink-2",
        className,
      )}
    >
      {children}
    </kbd>
  );
}
