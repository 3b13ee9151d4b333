import { useEffect } from "react";
import { create } from "zustand";

/** A key the page listens to while it is shown: `j`, `/`, or two in a row as `g o`. */
export interface Shortcut {
  keys: string;
  what: string;
  group: string;
  run: () => void;
}

interface Registered {
  /** Later ones come first: a panel's `Escape` before its page's. */
  shortcuts: readonly Shortcut[];
}

const useRegistered = create<Registered>(() => ({ shortcuts: [] }));

/** The shortcuts that hold now, one for each key. */
export const useShortcuts = (): readonly Shortcut[] => useRegistered((state) => state.shortcuts);

/** Adds shortcuts while the component is shown. The array must be stable between renderings that do not change it. */
export function useKeys(shortcuts: readonly Shortcut[]): void {
  useEffect(() => {
    useRegistered.setState((state) => ({ shortcuts: [...shortcuts, ...state.shortcuts] }));
    return () =>
      useRegistered.setState((state) => ({ shortcuts: state.shortcuts.filter((each) => !shortcuts.includes(each)) }));
  }, [shortcuts]);
}

const SECOND_KEY_MS = 900;
/** Whether keys pressed there are text. */
export const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
const inDialog = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  target.closest("[role=dialog],[role=alertdialog],[role=menu],[role=listbox]") !== null;

/** Hands key presses to the shortcuts. Returns the function that stops it. */
export function listenForKeys(): () => void {
  let first: { key: string; at: number } | null = null;
  const onKey = (event: KeyboardEvent): void => {
    const { shortcuts } = useRegistered.getState();
    const find = (keys: string): Shortcut | undefined => shortcuts.find((shortcut) => shortcut.keys === keys);
    const command = event.metaKey || event.ctrlKey;
    if (event.defaultPrevented || event.altKey) return;
    if (command) {
      const found = find(`mod+${event.key.toLowerCase()}`);
      if (!found) return;
      event.preventDefault();
      return found.run();
    }
    if (isTyping(event.target) || inDialog(event.target)) return;
    const pair =
      first !== null && event.timeStamp - first.at < SECOND_KEY_MS ? find(`${first.key} ${event.key}`) : undefined;
    const found = pair ?? find(event.key);
    first = found ? null : { key: event.key, at: event.timeStamp };
    if (!found) return;
    event.preventDefault();
    found.run();
  };
  window.addEventListener("keydown", onKey);
  return () => window.removeEventListener("keydown", onKey);
}
