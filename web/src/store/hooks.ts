import { createContext, useCallback, useContext, useSyncExternalStore } from "react";
import type { Actions } from "./actions";
import type { CellUi } from "./focus";
import { uiTopic } from "./focus";
import type { CellView, Session } from "./session";
import { cellTopic } from "./topics";

export interface OpenNotebook {
  session: Session;
  actions: Actions;
}

export const NotebookContext = createContext<OpenNotebook | null>(null);

export function useNotebook(): OpenNotebook {
  const open = useContext(NotebookContext);
  if (!open) throw new Error("No notebook is open here.");
  return open;
}

/** Reads from the session, and again whenever the topic is announced. `read` must return equal values as the same object. */
export function useTopic<T>(topic: string, read: (session: Session) => T): T {
  const { session } = useNotebook();
  const subscribe = useCallback((listener: () => void) => session.topics.on(topic, listener), [session, topic]);
  return useSyncExternalStore(subscribe, () => read(session));
}

export const useCell = (id: string): CellView | null => useTopic(cellTopic(id), (session) => session.view(id));
export const useCellUi = (id: string): CellUi => useTopic(uiTopic(id), (session) => session.focus.ui(id));
export const useOrder = () => useTopic("sequence", (session) => session.order);
export const useNumber = (id: string) => useTopic("sequence", (session) => session.numbers.get(id) ?? null);
export const useMeta = () => useTopic("meta", (session) => session.document.meta);
export const useReadOnly = (): boolean => useTopic("meta", (session) => session.document.meta?.read_only != null);
export const useName = () => useTopic("meta", (session) => session.name);
export const useSaved = () => useTopic("saved", (session) => session.saved);
export const useConnection = () => useTopic("connection", (session) => session.connection);
export const useEntries = () => useTopic("history", (session) => session.history.entries);
export const usePast = () => useTopic("past", (session) => session.history.past);
