import { useSyncExternalStore } from "react";

export type Theme = "light" | "dark";
const KEY = "quire.theme";
const listeners = new Set<() => void>();

const current = (): Theme => (document.documentElement.dataset.theme === "dark" ? "dark" : "light");

function apply(theme: Theme): void {
  document.documentElement.dataset.theme = theme;
  for (const listener of listeners) listener();
}

/** Follows the system until the reader has chosen. Call once. */
export function followSystemTheme(): void {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => {
    if (localStorage.getItem(KEY) === null) apply(event.matches ? "dark" : "light");
  });
}

export function toggleTheme(): void {
  const theme: Theme = current() === "dark" ? "light" : "dark";
  localStorage.setItem(KEY, theme);
  apply(theme);
}

export function useTheme(): Theme {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, current);
}
