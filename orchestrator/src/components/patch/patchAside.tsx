import { useMedia } from "../../lib/media.ts";
import { Dialog, SheetContent } from "../ui/dialog.tsx";
import { PatchPanel, type PanelView } from "./patchPanel.tsx";

/** A patch beside the list on a wide screen, over it on a narrow one. */
export function PatchAside(props: {
  patchId: string;
  view: PanelView;
  onView: (view: PanelView) => void;
  onClose: () => void;
}) {
  const wide = useMedia("(min-width: 1100px)");
  if (wide)
    return (
      <aside aria-label="Selected patch" className="w-[44%] max-w-4xl min-w-[26rem] shrink-0 border-l border-line">
        <PatchPanel key={props.patchId} {...props} />
      </aside>
    );
  return (
    <Dialog open onOpenChange={(open) => (open ? undefined : props.onClose())}>
      <SheetContent title="Selected patch">
        <PatchPanel key={props.patchId} {...props} />
      </SheetContent>
    </Dialog>
  );
}
