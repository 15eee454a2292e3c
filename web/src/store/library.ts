import { useSyncExternalStore } from "react";
import { createNotebook, deleteNotebook, listNotebooks, Problem, renameNotebook, undeleteNotebook } from "../wire/rest";
import type { NotebookHeader } from "../wire/types";

export interface LibraryState {
  status: "loading" | "ready" | "failed" | "unauthorized";
  failure: string;
  /** Newest first. */
  notebooks: readonly NotebookHeader[];
  trash: readonly NotebookHeader[];
}

const byNewest = (a: NotebookHeader, b: NotebookHeader) => b.updated_at - a.updated_at;

/** All notebooks of the reader, and the trash. */
export class Library {
  state: LibraryState = { status: "loading", failure: "", notebooks: [], trash: [] };
  private readonly listeners = new Set<() => void>();
  private refreshing: Promise<void> | null = null;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Asks the server again; calls that overlap share one answer. Never rejects: the state says what went wrong. */
  refresh(): Promise<void> {
    this.refreshing ??= this.load().finally(() => (this.refreshing = null));
    return this.refreshing;
  }

  async create(): Promise<string> {
    const { notebook_id } = await createNotebook();
    void this.refresh();
    return notebook_id;
  }

  async rename(id: string, name: string): Promise<void> {
    this.patch(id, { name });
    await renameNotebook(id, name);
  }

  async remove(id: string): Promise<void> {
    await deleteNotebook(id);
    const header = this.state.notebooks.find((each) => each.id === id);
    const notebooks = this.state.notebooks.filter((each) => each.id !== id);
    const trash = header ? [{ ...header, deleted_at: Date.now() }, ...this.state.trash] : this.state.trash;
    this.set({ notebooks, trash });
  }

  async restore(id: string): Promise<void> {
    await undeleteNotebook(id);
    const header = this.state.trash.find((each) => each.id === id);
    const trash = this.state.trash.filter((each) => each.id !== id);
    const notebooks = header
      ? [...this.state.notebooks, { ...header, deleted_at: null }].sort(byNewest)
      : this.state.notebooks;
    this.set({ notebooks, trash });
  }

  /** What the open notebook's socket says; the list need not be asked for it. */
  patch(id: string, change: Partial<NotebookHeader>): void {
    const notebooks = this.state.notebooks.map((each) => (each.id === id ? { ...each, ...change } : each));
    this.set({ notebooks: notebooks.sort(byNewest) });
  }

  private async load(): Promise<void> {
    try {
      const [notebooks, trash] = await Promise.all([listNotebooks(false), listNotebooks(true)]);
      this.set({
        status: "ready",
        failure: "",
        notebooks: notebooks.filter((each) => !each.deleted_at).sort(byNewest),
        trash: trash.filter((each) => each.deleted_at),
      });
    } catch (reason) {
      if (!(reason instanceof Problem)) throw reason;
      const status = reason.status === 401 ? "unauthorized" : this.state.status === "ready" ? "ready" : "failed";
      this.set({ status, failure: reason.message });
    }
  }

  private set(change: Partial<LibraryState>): void {
    this.state = { ...this.state, ...change };
    for (const listener of this.listeners) listener();
  }
}

export const library = new Library();
export const useLibrary = () => useSyncExternalStore(library.subscribe, () => library.state);
