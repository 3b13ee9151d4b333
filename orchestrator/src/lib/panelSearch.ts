import type { PanelView } from "../components/patch/patchPanel.tsx";

/** How the address bar says what the patch panel shows. */
export interface PanelSearch {
  patch?: string | undefined;
  view?: "split" | "unified" | undefined;
  ws?: "hide" | undefined;
}

export const viewOf = ({ view, ws }: PanelSearch): PanelView => ({
  split: view === "split",
  hideWhitespace: ws === "hide",
});
export const searchOfView = ({ split, hideWhitespace }: PanelView): Pick<PanelSearch, "view" | "ws"> => ({
  view: split ? "split" : undefined,
  ws: hideWhitespace ? "hide" : undefined,
});
