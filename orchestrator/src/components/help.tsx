import { type Shortcut, useShortcuts } from "../lib/keys.ts";
import { PATCH_STATUSES, lookOf } from "../stream/status.ts";
import { StatusTag } from "./status.tsx";
import { Kbd } from "./ui/controls.tsx";
import { Dialog, DialogContent } from "./ui/dialog.tsx";

const shown = (key: string): string =>
  ({ "mod+k": "⌘K", Escape: "Esc", Enter: "↵", ArrowLeft: "←", ArrowRight: "→" })[key] ?? key;

/** The keys that hold on this page, and what each status looks like. */
export function Help({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  const unique = new Map<string, Shortcut>();
  for (const shortcut of useShortcuts()) if (!unique.has(shortcut.keys)) unique.set(shortcut.keys, shortcut);
  const groups = Map.groupBy([...unique.values()], ({ group }) => group);
  return (
    <Dialog open={open} onOpenChange={onOpenChange}>
      <DialogContent title="Keyboard shortcuts" className="max-w-2xl">
        <div className="grid gap-x-10 gap-y-6 sm:grid-cols-2">
          {[...groups].map(([group, shortcuts]) => (
            <section key={group}>
              <h3 className="label mb-2">{group}</h3>
              <dl className="space-y-1.5">
                {shortcuts.map(({ keys, what }) => (
                  <div key={keys} className="flex items-center justify-between gap-4">
                    <dt className="text-ink-2">{what}</dt>
                    <dd className="flex gap-1">
                      {(keys === "/" ? ["/"] : keys.split(" ")).map((key) => (
                        <Kbd key={key}>{shown(key)}</Kbd>
                      ))}
                    </dd>
                  </div>
                ))}
              </dl>
            </section>
          ))}
          <section>
            <h3 className="label mb-2">Statuses</h3>
            <dl className="space-y-1.5">
              {PATCH_STATUSES.map((status) => (
                <div key={status} className="flex items-start justify-between gap-4">
                  <dt>
                    <StatusTag status={status} />
                  </dt>
                  <dd className="text-right text-ink-2">{lookOf(status).meaning}</dd>
                </div>
              ))}
            </dl>
          </section>
        </div>
      </DialogContent>
    </Dialog>
  );
}
