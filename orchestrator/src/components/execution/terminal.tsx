import { FitAddon } from "@xterm/addon-fit";
import { Terminal as Xterm } from "@xterm/xterm";
import "@xterm/xterm/css/xterm.css";
import "./terminal.css";
import { ArrowDownToLine } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { client, need } from "../../api/client.ts";
import { cn } from "../../lib/cn.ts";
import { count } from "../../lib/format.ts";
import { terminalText } from "../../lib/terminalText.ts";
import { TerminalWriter } from "../../lib/TerminalWriter.ts";
import { useTheme } from "../../lib/theme.ts";
import { OutputReader, type OutputState } from "../../stream/OutputReader.ts";
import { onOutputHint } from "../../stream/runOutput.ts";
import { Button } from "../ui/button.tsx";

/** Lines that can be scrolled back to; older ones are in the stored output. */
const SCROLLBACK = 5_000;
const PAGE = 500;
const MIN_CONTRAST = 4.5;

const COLOURS = {
  black: "--ink-3",
  brightBlack: "--ink-3",
  red: "--failed",
  brightRed: "--failed",
  green: "--applied",
  brightGreen: "--applied",
  yellow: "--validating",
  brightYellow: "--validating",
  blue: "--accent-ink",
  brightBlue: "--accent-ink",
  magenta: "--reverted",
  brightMagenta: "--reverted",
  cyan: "--validated",
  brightCyan: "--validated",
  white: "--ink-2",
  brightWhite: "--ink",
  foreground: "--ink",
  background: "--sunken",
  cursor: "--sunken",
  selectionBackground: "--accent-soft",
} as const;

/** The page's tokens as the terminal's colours, as numbers: the terminal computes contrasts with them. */
function themeOf(): Record<string, string> {
  const style = getComputedStyle(document.documentElement);
  const context = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", {
    willReadFrequently: true,
  });
  if (context === null) return {};
  return Object.fromEntries(
    Object.entries(COLOURS).map(([name, token]) => {
      context.fillStyle = style.getPropertyValue(token);
      context.fillRect(0, 0, 1, 1);
      const [red = 0, green = 0, blue = 0] = context.getImageData(0, 0, 1, 1).data;
      return [name, `rgb(${red}, ${green}, ${blue})`];
    }),
  );
}

const STATE_WORDS: Record<OutputState["kind"], string> = {
  reading: "reading what is stored…",
  live: "live",
  ended: "ended",
  failing: "does not answer; asking again",
};

/** What an attempt says, from its beginning on, as it says it. */
export default function Terminal({ executionId, attempt }: { executionId: string; attempt: number }) {
  const place = useRef<HTMLDivElement>(null);
  const terminalRef = useRef<Xterm | null>(null);
  const [state, setState] = useState<OutputState>({ kind: "reading" });
  const [events, setEvents] = useState(0);
  const [following, setFollowing] = useState(true);
  const theme = useTheme((each) => each.theme);

  useEffect(() => {
    if (terminalRef.current !== null) terminalRef.current.options.theme = themeOf();
  }, [theme]);

  useEffect(() => {
    const { current } = place;
    if (current === null) return;
    const terminal = new Xterm({
      scrollback: SCROLLBACK,
      convertEol: true,
      disableStdin: true,
      cursorBlink: false,
      cursorInactiveStyle: "none",
      fontFamily: '"Geist Mono Variable", ui-monospace, Menlo, monospace',
      fontSize: 12,
      lineHeight: 1.35,
      minimumContrastRatio: MIN_CONTRAST,
      theme: themeOf(),
      // A run's text opens nothing, whatever addresses it hides behind its words.
      linkHandler: { activate: () => undefined },
    });
    const fit = new FitAddon();
    terminal.loadAddon(fit);
    terminal.open(current);
    terminal.textarea?.setAttribute("aria-label", "Output; arrow keys and page keys scroll");
    terminalRef.current = terminal;
    const refit = (): void => {
      if (current.clientWidth > 0) fit.fit();
    };
    refit();
    const observer = new ResizeObserver(refit);
    observer.observe(current);
    const scrolled = (): void => {
      const { baseY, viewportY } = terminal.buffer.active;
      setFollowing(viewportY >= baseY);
    };
    const onScroll = terminal.onScroll(scrolled);
    const onRender = terminal.onRender(scrolled);

    const writer = new TerminalWriter(terminal);
    const reader = new OutputReader({
      read: (after, signal) =>
        need(client.ai.executions.output(executionId, { attempt, after, limit: PAGE }, { signal })),
      onEvents: (page) => {
        setEvents((before) => before + page.length);
        return writer.write(page.map(terminalText).join(""));
      },
      onState: setState,
    });
    setEvents(0);
    const stopHints = onOutputHint((hint) => {
      if (hint.executionId === executionId && hint.attempt === attempt) reader.hint(hint.seq);
    });
    void reader.run();
    return () => {
      stopHints();
      reader.stop();
      writer.close();
      observer.disconnect();
      onScroll.dispose();
      onRender.dispose();
      terminalRef.current = null;
      terminal.dispose();
    };
  }, [executionId, attempt]);

  return (
    <div
      className="overflow-hidden rounded-lg border border-line bg-sunken"
      data-testid="terminal"
      data-state={state.kind}
    >
      <p className="flex h-8 items-center gap-2 border-b border-line px-3 text-xs text-ink-3">
        <svg
          viewBox="0 0 12 12"
          className={cn(
            "size-2.5 shrink-0",
            state.kind === "live" && "text-applied",
            state.kind === "failing" && "text-failed",
          )}
          aria-hidden
        >
          {state.kind === "live" ? (
            <circle cx="6" cy="6" r="4" fill="currentColor" />
          ) : state.kind === "failing" ? (
            <path d="M6 .800 11.600 11H.400z" fill="currentColor" />
          ) : state.kind === "ended" ? (
            <rect x="2.500" y="2.500" width="7" height="7" fill="currentColor" />
          ) : (
            <circle
              cx="6"
              cy="6"
              r="4"
              fill="none"
              stroke="currentColor"
              strokeWidth="1.500"
              strokeDasharray="2 1.600"
            />
          )}
        </svg>
        <span role="status" className={cn("truncate", state.kind === "failing" && "text-failed")}>
          Attempt {attempt}, {STATE_WORDS[state.kind]}
        </span>
        <span className="nums ml-auto shrink-0">{count(events)} events</span>
      </p>
      <div className="relative">
        <div ref={place} className="h-[min(32rem,60vh)] min-h-64 py-2 pl-3" />
        {events === 0 && state.kind !== "reading" && state.kind !== "failing" ? (
          <p className="pointer-events-none absolute inset-0 grid place-items-center text-sm text-ink-3">
            {state.kind === "ended" ? "It said nothing." : "Nothing has been said yet."}
          </p>
        ) : null}
        {following ? null : (
          <Button
            className="absolute right-4 bottom-3 shadow-pop"
            onClick={() => terminalRef.current?.scrollToBottom()}
          >
            <ArrowDownToLine />
            To the end
          </Button>
        )}
      </div>
    </div>
  );
}
