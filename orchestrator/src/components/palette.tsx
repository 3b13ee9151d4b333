import { useNavigate } from "@tanstack/react-router";
import { useQuery } from "@tanstack/react-query";
import { Command } from "cmdk";
import { Dialog } from "radix-ui";
import { useState } from "react";
import { client, need } from "../api/client.ts";
import { useTheme } from "../lib/theme.ts";
import { PAGES } from "./pages.ts";
import { StatusMark } from "./status.tsx";
import { Kbd } from "./ui/controls.tsx";

const item =
  "flex h-9 cursor-default select-none items-center gap-2.5 rounded-md px-2.5 text-sm text-ink outline-none data-[selected=true]:bg-hover [&_svg]:size-4 [&_svg]:text-ink-3";

/** Everything by name: pages, orders, a patch by its id, and what can be done from anywhere. */
export default function Palette({
  open,
  onOpenChange,
  onHelp,
  onSignOut,
}: {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  onHelp: () => void;
  onSignOut: () => void;
}) {
  const [search, setSearch] = useState("");
  const navigate = useNavigate();
  const { toggle, theme } = useTheme();
  const orders = useQuery({
    queryKey: ["orders", "palette"],
    queryFn: ({ signal }) => need(client.orders.list({ limit: 50 }, { signal })),
    enabled: open,
  });
  const done = (act: () => unknown) => () => {
    onOpenChange(false);
    setSearch("");
    act();
  };
  const wanted = search.trim();

  return (
    <Dialog.Root open={open} onOpenChange={onOpenChange}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-black/45 backdrop-blur-[1px]" />
        <Dialog.Content
          aria-describedby={undefined}
          className="fixed left-1/2 top-[14vh] z-50 w-[calc(100vw-2rem)] max-w-xl -translate-x-1/2 overflow-hidden rounded-xl border border-line bg-surface shadow-pop animate-pop focus:outline-none"
        >
          <Dialog.Title className="sr-only">Go to or do</Dialog.Title>
          <Command label="Go to or do" loop>
            <Command.Input
              value={search}
              onValueChange={setSearch}
              placeholder="Go to a page, an order, a patch, an execution…"
              className="h-12 w-full border-b border-line bg-transparent px-4 text-base text-ink outline-none placeholder:text-ink-3"
            />
            <Command.List className="max-h-[50vh] overflow-y-auto p-1.5 [&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:py-1.5 [&_[cmdk-group-heading]]:text-2xs [&_[cmdk-group-heading]]:font-medium [&_[cmdk-group-heading]]:text-ink-3">
              <Command.Empty className="px-4 py-8 text-center text-sm text-ink-3">
                Nothing goes by that name.
              </Command.Empty>
              <Command.Group heading="Pages">
                {PAGES.map(({ to, title, icon: Icon, keys }) => (
                  <Command.Item
                    key={to}
                    value={`page ${title}`}
                    className={item}
                    onSelect={done(() => navigate({ to }))}
                  >
                    <Icon aria-hidden />
                    <span className="flex-1">{title}</span>
                    <span className="flex gap-1">
                      {keys.split(" ").map((key) => (
                        <Kbd key={key}>{key}</Kbd>
                      ))}
                    </span>
                  </Command.Item>
                ))}
              </Command.Group>
              {wanted.length > 2 ? (
                <Command.Group heading="Search" forceMount>
                  <Command.Item
                    forceMount
                    value={`patch ${wanted}`}
                    className={item}
                    onSelect={done(() => navigate({ to: "/live", search: { patch: wanted } }))}
                  >
                    Open patch <span className="truncate font-mono text-xs text-ink-2">{wanted}</span>
                  </Command.Item>
                  <Command.Item
                    forceMount
                    value={`execution ${wanted}`}
                    className={item}
                    onSelect={done(() => navigate({ to: "/executions/$executionId", params: { executionId: wanted } }))}
                  >
                    Open execution <span className="truncate font-mono text-xs text-ink-2">{wanted}</span>
                  </Command.Item>
                  <Command.Item
                    forceMount
                    value={`find ${wanted}`}
                    className={item}
                    onSelect={done(() => navigate({ to: "/live", search: { q: wanted } }))}
                  >
                    Find in the stream <span className="truncate font-mono text-xs text-ink-2">{wanted}</span>
                  </Command.Item>
                </Command.Group>
              ) : null}
              {orders.data && orders.data.orders.length > 0 ? (
                <Command.Group heading="Orders">
                  {orders.data.orders.map((order) => (
                    <Command.Item
                      key={order.id}
                      value={`order ${order.id} ${order.title}`}
                      className={item}
                      onSelect={done(() => navigate({ to: "/orders/$orderId", params: { orderId: order.id } }))}
                    >
                      <StatusMark status={order.status} />
                      <span className="font-mono text-xs text-ink-2">{order.id}</span>
                      <span className="truncate">{order.title}</span>
                    </Command.Item>
                  ))}
                </Command.Group>
              ) : null}
              <Command.Group heading="Do">
                <Command.Item value="theme dark light" className={item} onSelect={done(toggle)}>
                  Switch to the {theme === "dark" ? "light" : "dark"} theme
                </Command.Item>
                <Command.Item value="keyboard shortcuts help" className={item} onSelect={done(onHelp)}>
                  <span className="flex-1">Keyboard shortcuts</span>
                  <Kbd>?</Kbd>
                </Command.Item>
                <Command.Item value="sign out" className={item} onSelect={done(onSignOut)}>
                  Sign out
                </Command.Item>
              </Command.Group>
            </Command.List>
          </Command>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
