import { FileDiff as FileIcon } from "lucide-react";
import { lazy, Suspense, useMemo, useState } from "react";
import { type FileDiff, splitDiff } from "../../lib/splitDiff.ts";
import { plural } from "../../lib/format.ts";
import { CopyButton } from "../copy.tsx";
import { LineCounts, Path } from "../lines.tsx";
import { Segmented } from "../ui/controls.tsx";
import { Card, Empty, SkeletonRows } from "../ui/surface.tsx";

const Diff = lazy(() => import("../patch/diffView.tsx"));
/** So many files are drawn; the others open when asked for. */
const OPEN = 12;

/** The change as the provider gave it: file by file where it is a diff, as it stands where it is another form. */
export function Change({ text, applied }: { text: string | null; applied: boolean }) {
  const files = useMemo(() => (text === null ? null : splitDiff(text)), [text]);
  const [split, setSplit] = useState(false);
  if (text === null || text.trim() === "")
    return (
      <Empty icon={<FileIcon />} title="There is no change">
        Nothing that could be applied has come of it.
      </Empty>
    );
  return (
    <div className="space-y-3">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <p className="min-w-0 flex-1 text-sm text-ink-2">
          {files === null ? "As the provider wrote it" : plural(files.length, "file")}
          {applied ? ", applied" : ", not applied"}
          {files === null ? null : (
            <LineCounts
              className="ml-2"
              added={files.reduce((sum, { added }) => sum + added, 0)}
              removed={files.reduce((sum, { removed }) => sum + removed, 0)}
            />
          )}
        </p>
        {files === null ? null : (
          <Segmented
            label="How the diff is shown"
            value={split ? "split" : "unified"}
            onChange={(value) => setSplit(value === "split")}
            options={[
              { value: "unified", label: "Unified" },
              { value: "split", label: "Split" },
            ]}
            className="hidden sm:inline-flex"
          />
        )}
        <CopyButton text={text} label="Copy the change">
          Copy
        </CopyButton>
      </div>
      {files === null ? (
        <Card>
          <pre tabIndex={0} className="max-h-[70vh] overflow-auto p-4 font-mono text-xs leading-5">
            {text}
          </pre>
        </Card>
      ) : (
        files.map((file, index) => <File key={`${index} ${file.file}`} file={file} split={split} open={index < OPEN} />)
      )}
    </div>
  );
}

function File({ file, split, open }: { file: FileDiff; split: boolean; open: boolean }) {
  const [shown, setShown] = useState(open);
  return (
    <Card className="overflow-hidden">
      <details open={open} onToggle={(event) => setShown(event.currentTarget.open)}>
        <summary className="flex h-9 cursor-pointer items-center gap-3 px-3 -outline-offset-2 hover:bg-hover">
          <Path path={file.file} className="flex-1" />
          {file.note === null ? null : <span className="text-2xs text-ink-3">{file.note}</span>}
          <LineCounts added={file.added} removed={file.removed} />
        </summary>
        {shown ? (
          <div className="border-t border-line" data-testid="diff">
            <Suspense fallback={<SkeletonRows rows={4} />}>
              <Diff diff={file.diff} file={file.file} split={split} hideWhitespace={false} />
            </Suspense>
          </div>
        ) : null}
      </details>
    </Card>
  );
}
