import { useSyncExternalStore } from "react";
import { notebookPath } from "../wire/ids";

const LAST_KEY = "quire.last";
const listeners = new Set<() => void>();

const tell = () => {
  for (const listener of listeners) listener();
};

/** The notebook that the address names; null at `/`. */
export function currentNotebookId(): string | null {
  const match = /^\/n\/([^/]+)$/.exec(location.pathname);
  if (!match?.[1]) return null;
  try {
    return decodeURIComponent(match[1]);
  } catch {
    return null; // not an address of ours
  }
}

export function openNotebook(id: string, how: "push" | "replace" = "push"): void {
  if (how === "push") history.pushState(null, "", notebookPath(id));
  else history.replaceState(null, "", notebookPath(id));
  tell();
}

export function goHome(): void {
  history.pushState(null, "", "/");
  tell();
}

export const lastOpened = (): string | null => localStorage.getItem(LAST_KEY);
export const rememberOpened = (id: string): void => localStorage.setItem(LAST_KEY, id);
export const forgetOpened = (): void => localStorage.removeItem(LAST_KEY);

export function useNotebookId(): string | null {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    addEventListener("popstate", listener);
    return () => {
      listeners.delete(listener);
      removeEventListener("popstate", listener);
    };
  }, currentNotebookId);
}
