import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useNavigate, useRouterState } from "@tanstack/react-router";
import { CircleUserRound, Ellipsis, LogOut, Moon, Search, Settings2, Sun } from "lucide-react";
import { lazy, Suspense, useCallback, useEffect, useMemo, useState } from "react";
import { client, origin, queryClient, signedOut } from "../api/client.ts";
import { hilTelemetryQuery, sessionQuery } from "../api/queries.ts";
import { cn } from "../lib/cn.ts";
import { listenForKeys, type Shortcut, useKeys } from "../lib/keys.ts";
import { useTheme } from "../lib/theme.ts";
import { onHilSignal } from "../stream/hilSignals.ts";
import { joinStream, useStream } from "../stream/store.ts";
import { Mark } from "./brand.tsx";
import { ConnectionState, TodayTotal } from "./connection.tsx";
import { HealthButton, HealthStrip } from "./healthStrip.tsx";
import { Help } from "./help.tsx";
import { Notices } from "./notices.tsx";
import { PAGES } from "./pages.ts";
import { Button } from "./ui/button.tsx";
import { Kbd, Menu, MenuContent, MenuItem, MenuTrigger, Tooltip, TooltipProvider } from "./ui/controls.tsx";

const Palette = lazy(() => import("./palette.tsx"));

/** The frame of every page: where one can go, whether what is shown is live, and what everything stands on. */
export function Shell() {
  const navigate = useNavigate();
  const [paletteOpen, setPaletteOpen] = useState(false);
  const [helpOpen, setHelpOpen] = useState(false);
  const toggleTheme = useTheme((state) => state.toggle);

  useEffect(listenForKeys, []);
  useEffect(() => joinStream(origin), []);
  useEffect(
    () =>
      onHilSignal(() => {
        for (const key of [hilTelemetryQuery.queryKey, ["hil"]]) void queryClient.invalidateQueries({ queryKey: key });
      }),
    [],
  );

  // The stream is told first that a session was ended elsewhere.
  const ended = useStream((state) => state.connection === "signed-out");
  useEffect(() => {
    if (ended) void queryClient.refetchQueries({ queryKey: sessionQuery.queryKey }).then(() => signedOut());
  }, [ended]);

  const signOut = useCallback(async () => {
    await client.auth.signOut();
    queryClient.clear();
    await navigate({ to: "/sign-in" });
  }, [navigate]);

  const shortcuts = useMemo<Shortcut[]>(
    () => [
      { keys: "mod+k", what: "Go to or do anything", group: "Everywhere", run: () => setPaletteOpen(true) },
      { keys: "?", what: "This list", group: "Everywhere", run: () => setHelpOpen(true) },
      { keys: "t", what: "Dark or light", group: "Everywhere", run: toggleTheme },
      ...PAGES.map(({ to, title, keys }) => ({ keys, what: title, group: "Pages", run: () => void navigate({ to }) })),
    ],
    [navigate, toggleTheme],
  );
  useKeys(shortcuts);

  return (
    <TooltipProvider delayDuration={350}>
      <a
        href="#main"
        className="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50 focus:rounded-md focus:bg-surface focus:px-3 focus:py-2"
      >
        Skip to the page
      </a>
      <div className="flex h-full">
        <SideBar />
        <div className="flex min-w-0 flex-1 flex-col">
          <TopBar
            onPalette={() => setPaletteOpen(true)}
            onHelp={() => setHelpOpen(true)}
            onSignOut={() => void signOut()}
          />
          <OfflineBanner />
          <main id="main" tabIndex={-1} className="flex min-h-0 flex-1 flex-col focus:outline-none">
            <Outlet />
          </main>
          <HealthStrip />
          <TabBar />
        </div>
      </div>
      {paletteOpen ? (
        <Suspense>
          <Palette
            open
            onOpenChange={setPaletteOpen}
            onHelp={() => setHelpOpen(true)}
            onSignOut={() => void signOut()}
          />
        </Suspense>
      ) : null}
      <Help open={helpOpen} onOpenChange={setHelpOpen} />
      <Notices />
    </TooltipProvider>
  );
}

/** A project's issues and pull requests are of the pages that list all of them. */
const isHere = (path: string, to: string): boolean => {
  const place = path.replace(/^\/projects\/[^/]+(?=\/)/, "");
  return to === "/" ? place === "/" : place === to || place.startsWith(`${to}/`);
};

/** How many requests wait for a person; 0 where it is not known. */
function useOpenRequests(): number {
  const { data } = useQuery(hilTelemetryQuery);
  return data?.queue.available ? data.queue.open : 0;
}

function OpenCount({ count, className }: { count: number; className?: string }) {
  if (count === 0) return null;
  return (
    <span
      aria-hidden
      className={cn(
        "nums grid h-4 min-w-4 place-items-center rounded-full bg-accent px-1 text-2xs font-semibold text-on-accent",
        className,
      )}
    >
      {count > 99 ? "99+" : count}
    </span>
  );
}

function SideBar() {
  const path = useRouterState({ select: (state) => state.location.pathname });
  const open = useOpenRequests();
  return (
    <nav aria-label="Pages" className="hidden w-14 shrink-0 flex-col border-r border-line bg-sunken md:flex xl:w-48">
      <Link to="/" className="flex h-12 items-center gap-2.5 px-3.5" aria-label="VibeHQ, overview">
        <Mark className="size-6 shrink-0" />
        <span className="hidden text-sm font-semibold tracking-tight xl:block">VibeHQ</span>
      </Link>
      <ul className="mt-1 flex flex-col gap-0.5 px-2">
        {PAGES.map(({ to, title, icon: Icon, keys, section }, index) => {
          const here = isHere(path, to);
          const begins = index > 0 && PAGES[index - 1]?.section !== section;
          const waiting = to === "/people" ? open : 0;
          return (
            <li key={to} className={cn(begins && "mt-2 border-t border-line pt-2")}>
              <Link
                to={to}
                aria-current={here ? "page" : undefined}
                className={cn(
                  "group relative flex h-8 items-center gap-2.5 rounded-md px-3 text-sm font-medium transition-colors",
                  here ? "bg-hover text-ink" : "text-ink-2 hover:bg-hover/60 hover:text-ink",
                )}
              >
                {here ? (
                  <span aria-hidden className="absolute inset-y-1.5 -left-2 w-[3px] rounded-r bg-accent-ink" />
                ) : null}
                <Icon className={cn("size-4 shrink-0", here ? "text-accent-ink" : "text-ink-3")} aria-hidden />
                <span className="flex-1 max-xl:sr-only">{title}</span>
                <OpenCount count={waiting} className="absolute -top-0.5 right-0 xl:static" />
                {waiting > 0 ? <span className="sr-only">, {waiting} open</span> : null}
                <span
                  aria-hidden
                  className="hidden gap-0.5 text-2xs text-ink-3 opacity-0 group-hover:opacity-100 xl:flex"
                >
                  {keys}
                </span>
              </Link>
            </li>
          );
        })}
      </ul>
    </nav>
  );
}

const TABS = PAGES.filter(({ first }) => first);
const MORE = PAGES.filter(({ first }) => !first);
const tab = "flex h-14 min-w-0 flex-1 flex-col items-center justify-center gap-1 text-2xs";

function TabBar() {
  const path = useRouterState({ select: (state) => state.location.pathname });
  const open = useOpenRequests();
  const behind = MORE.find(({ to }) => isHere(path, to));
  return (
    <nav
      aria-label="Pages"
      className="flex shrink-0 border-t border-line bg-sunken pb-[env(safe-area-inset-bottom)] md:hidden"
    >
      {TABS.map(({ to, title, icon: Icon }) => {
        const here = isHere(path, to);
        const waiting = to === "/people" ? open : 0;
        return (
          <Link
            key={to}
            to={to}
            aria-current={here ? "page" : undefined}
            className={cn(tab, "relative", here ? "font-medium text-ink" : "text-ink-3")}
          >
            <Icon className={cn("size-4.5", here ? "text-accent-ink" : "")} aria-hidden />
            <span className="max-w-full truncate">{title}</span>
            {waiting > 0 ? (
              <span className="absolute top-1.5 left-1/2 ml-1">
                <OpenCount count={waiting} />
                <span className="sr-only">, {waiting} open</span>
              </span>
            ) : null}
          </Link>
        );
      })}
      <Menu>
        <MenuTrigger asChild>
          <button
            type="button"
            aria-label={behind ? `More pages, here: ${behind.title}` : "More pages"}
            className={cn(tab, behind ? "font-medium text-ink" : "text-ink-3")}
          >
            <Ellipsis className={cn("size-4.5", behind ? "text-accent-ink" : "")} aria-hidden />
            <span className="max-w-full truncate px-1">{behind?.title ?? "More"}</span>
          </button>
        </MenuTrigger>
        <MenuContent align="end" side="top">
          {MORE.map(({ to, title, icon: Icon }) => (
            <MenuItem key={to} asChild>
              <Link to={to} aria-current={isHere(path, to) ? "page" : undefined} className="h-10">
                <Icon aria-hidden />
                {title}
              </Link>
            </MenuItem>
          ))}
        </MenuContent>
      </Menu>
    </nav>
  );
}

function TopBar({
  onPalette,
  onHelp,
  onSignOut,
}: {
  onPalette: () => void;
  onHelp: () => void;
  onSignOut: () => void;
}) {
  const path = useRouterState({ select: (state) => state.location.pathname });
  const page = PAGES.find(({ to }) => isHere(path, to));
  const { theme, toggle } = useTheme();
  const title = page?.title;
  useEffect(() => {
    document.title = title === undefined ? "VibeHQ Mission Control" : `${title} · VibeHQ`;
  }, [title]);
  const { data: who } = useQuery(sessionQuery);
  return (
    <header className="flex h-12 shrink-0 items-center justify-between gap-2 border-b border-line bg-bg px-3 md:px-4">
      <div className="flex min-w-0 items-center gap-2.5">
        <Link to="/" className="md:hidden" aria-label="VibeHQ, overview">
          <Mark className="size-6" />
        </Link>
        <span className="truncate text-base font-semibold">{page?.title ?? "Mission Control"}</span>
      </div>
      <div className="flex items-center gap-1 md:gap-2">
        <ConnectionState />
        <TodayTotal />
        <HealthButton />
        <button
          type="button"
          onClick={onPalette}
          className="hidden h-7 w-44 items-center gap-2 rounded-md border border-line bg-surface px-2 text-xs text-ink-3 hover:border-line-strong lg:flex"
        >
          <Search className="size-3.5" aria-hidden />
          <span className="flex-1 text-left">Go to…</span>
          <span aria-hidden>
            <Kbd>⌘K</Kbd>
          </span>
        </button>
        <Button variant="ghost" size="icon" className="lg:hidden" aria-label="Go to or do anything" onClick={onPalette}>
          <Search />
        </Button>
        <Tooltip content={theme === "dark" ? "Light theme" : "Dark theme"}>
          <Button
            variant="ghost"
            size="icon"
            aria-label={theme === "dark" ? "Light theme" : "Dark theme"}
            onClick={toggle}
            className="hidden sm:inline-flex"
          >
            {theme === "dark" ? <Sun /> : <Moon />}
          </Button>
        </Tooltip>
        <Menu>
          <MenuTrigger asChild>
            <Button variant="ghost" size="icon" aria-label="Your session">
              <CircleUserRound />
            </Button>
          </MenuTrigger>
          <MenuContent align="end">
            {who ? (
              <div className="border-b border-line px-2 pt-1 pb-2">
                <p className="label">Signed in as</p>
                <p className="max-w-56 truncate font-mono text-xs">{who.actor}</p>
              </div>
            ) : null}
            <MenuItem className="mt-1" asChild>
              <Link to="/settings">
                <Settings2 />
                Settings
              </Link>
            </MenuItem>
            <MenuItem onSelect={toggle} className="sm:hidden">
              {theme === "dark" ? <Sun /> : <Moon />}
              {theme === "dark" ? "Light theme" : "Dark theme"}
            </MenuItem>
            <MenuItem onSelect={onHelp}>
              <Kbd>?</Kbd>
              Keyboard shortcuts
            </MenuItem>
            <MenuItem onSelect={onSignOut}>
              <LogOut />
              Sign out
            </MenuItem>
          </MenuContent>
        </Menu>
      </div>
    </header>
  );
}

/** Says that what is shown may be old, once it has been so for a while. */
function OfflineBanner() {
  const lost = useStream(({ connection }) => connection === "waiting" || connection === "closed");
  const [shown, setShown] = useState(false);
  useEffect(() => {
    if (!lost) return setShown(false);
    const timer = setTimeout(() => setShown(true), 2_500);
    return () => clearTimeout(timer);
  }, [lost]);
  if (!shown) return null;
  return (
    <p role="status" className="shrink-0 border-b border-line bg-validating-soft px-4 py-1.5 text-xs text-validating">
      <strong className="font-semibold">Reconnecting.</strong> What is shown may be old; what you missed follows once
      the orchestrator answers.
    </p>
  );
}
