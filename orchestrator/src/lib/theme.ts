import { create } from "zustand";

export type Theme = "light" | "dark";
const KEY = "vibehq.theme";

const present = (): Theme => (document.documentElement.dataset.theme === "light" ? "light" : "dark");

export const useTheme = create<{ theme: Theme; toggle: () => void }>((set, get) => ({
  theme: present(),
  toggle: () => {
    const theme = get().theme === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // A browser that keeps nothing shows the theme until the page is left.
    }
    set({ theme });
  },
}));
