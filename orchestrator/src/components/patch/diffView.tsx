import { DiffModeEnum, DiffView } from "@git-diff-view/react";
import "@git-diff-view/react/styles/diff-view-pure.css";
import { useMemo } from "react";
import { useTheme } from "../../lib/theme.ts";
import { withoutWhitespaceChanges } from "../../lib/whitespace.ts";
import "./diffView.css";

/** A diff with more lines than this is shown as plain text: highlighting it would hold up the page. */
const MAX_LINES = 4_000;

const LANGUAGES: Record<string, string> = {
  ts: "typescript",
  tsx: "tsx",
  js: "javascript",
  mjs: "javascript",
  jsx: "jsx",
  json: "json",
  jsonc: "json",
  md: "markdown",
  css: "css",
  html: "xml",
  svg: "xml",
  py: "python",
  rs: "rust",
  go: "go",
  sh: "bash",
  yml: "yaml",
  yaml: "yaml",
  sql: "sql",
  toml: "ini",
};
const languageOf = (file: string): string =>
  LANGUAGES[file.slice(file.lastIndexOf(".") + 1).toLowerCase()] ?? "plaintext";

/** What scrolls sideways must be reachable by keyboard; the viewer's own wrappers are not. */
function reachable(shell: HTMLDivElement | null): (() => void) | undefined {
  if (shell === null) return undefined;
  const reach = (): void => {
    for (const wrapper of shell.querySelectorAll<HTMLElement>('[class*="table-wrapper"]')) wrapper.tabIndex = 0;
  };
  reach();
  const observer = new MutationObserver(reach);
  observer.observe(shell, { childList: true, subtree: true });
  return () => observer.disconnect();
}

/** A unified diff of one file, side by side or one below the other. */
export default function Diff({
  diff,
  file,
  split,
  hideWhitespace,
}: {
  diff: string;
  file: string;
  split: boolean;
  hideWhitespace: boolean;
}) {
  const theme = useTheme((state) => state.theme);
  const shown = useMemo(() => (hideWhitespace ? withoutWhitespaceChanges(diff) : diff), [diff, hideWhitespace]);
  const data = useMemo(() => {
    const named = { fileName: file, fileLang: languageOf(file) };
    return { oldFile: named, newFile: named, hunks: [shown] };
  }, [shown, file]);

  if (!/^@@/m.test(shown))
    return (
      <p className="px-4 py-8 text-center text-ink-3">
        {hideWhitespace
          ? "White space alone differs."
          : "No line differs: the file was made, moved or removed as it is."}
      </p>
    );
  if (shown.split("\n").length > MAX_LINES)
    return <pre className="overflow-x-auto p-4 font-mono text-xs leading-5">{shown}</pre>;
  return (
    <div ref={reachable} className="diff-shell min-w-0 text-xs">
      <DiffView
        data={data}
        diffViewMode={split ? DiffModeEnum.Split : DiffModeEnum.Unified}
        diffViewTheme={theme}
        diffViewHighlight
        diffViewWrap={false}
        diffViewFontSize={12}
        diffViewAddWidget={false}
      />
    </div>
  );
}
