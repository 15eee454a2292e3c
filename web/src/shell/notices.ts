import { useSyncExternalStore } from "react";

export interface Toast {
  id: number;
  words: string;
  action: { label: string; run(): void } | null;
}

const SHOWN_MS = 8_000;
const TOASTS_MAX = 3;

/** Short sentences for the reader: toasts for the eye, a live region for the screen reader. */
class Notices {
  toasts: readonly Toast[] = [];
  spoken = "";
  private next = 1;
  private readonly listeners = new Set<() => void>();

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Says something without taking room on the page. */
  speak(words: string): void {
    this.spoken = this.spoken === words ? `${words}\u00a0` : words; // the same words again are announced again
    this.changed();
  }

  show(words: string, action: Toast["action"] = null): void {
    const id = this.next++;
    this.toasts = [...this.toasts, { id, words, action }].slice(-TOASTS_MAX);
    setTimeout(() => this.dismiss(id), SHOWN_MS);
    this.speak(words);
  }

  dismiss(id: number): void {
    this.toasts = this.toasts.filter((toast) => toast.id !== id);
    this.changed();
  }

  private changed(): void {
    for (const listener of this.listeners) listener();
  }
}

export const notices = new Notices();
export const useToasts = () => useSyncExternalStore(notices.subscribe, () => notices.toasts);
export const useSpoken = () => useSyncExternalStore(notices.subscribe, () => notices.spoken);
