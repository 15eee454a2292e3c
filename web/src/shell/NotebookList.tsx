import { useEffect, useMemo, useRef, useState } from "react";
import { library, useLibrary } from "../store/library";
import type { NotebookHeader } from "../wire/types";
import { PlusIcon } from "./icons";
import { NotebookRow, TrashRow } from "./NotebookRow";
import { notices } from "./notices";
import { Outline } from "./Outline";
import { openNotebook, useNotebookId } from "./route";
import { period } from "./words";

/** How often the list is asked for again while the page is looked at. */
const REFRESH_MS = 30_000;

function useFreshLibrary(): void {
  useEffect(() => {
    const refresh = () => document.visibilityState === "visible" && void library.refresh();
    refresh();
    const timer = setInterval(refresh, REFRESH_MS);
    document.addEventListener("visibilitychange", refresh);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", refresh);
    };
  }, []);
}

function grouped(notebooks: readonly NotebookHeader[], now: number): [string, NotebookHeader[]][] {
  const groups = new Map<string, NotebookHeader[]>();
  for (const notebook of notebooks) {
    const heading = period(notebook.updated_at, now);
    groups.set(heading, [...(groups.get(heading) ?? []), notebook]);
  }
  return [...groups];
}

async function createAndOpen(): Promise<void> {
  try {
    openNotebook(await library.create());
  } catch (reason) {
    notices.show(`The notebook was not created: ${(reason as Error).message}`);
  }
}

/** All notebooks, by when they were edited; the trash below. */
export function NotebookList({ open, onClose }: { open: boolean; onClose(): void }) {
  useFreshLibrary();
  const { status, failure, notebooks, trash } = useLibrary();
  const current = useNotebookId();
  const [query, setQuery] = useState("");
  const [trashOpen, setTrashOpen] = useState(false);
  const search = useRef<HTMLInputElement>(null);
  const now = Date.now();
  const matches = (notebook: NotebookHeader) => notebook.name.toLowerCase().includes(query.trim().toLowerCase());
  const groups = useMemo(
    () => grouped(notebooks.filter(matches), now),
    [notebooks, query, Math.floor(now / REFRESH_MS)],
  );

  useEffect(() => {
    const focusSearch = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (event.key !== "/" || event.ctrlKey || event.metaKey || target.isContentEditable || target.tagName === "INPUT")
        return;
      event.preventDefault();
      search.current?.focus();
    };
    addEventListener("keydown", focusSearch);
    return () => removeEventListener("keydown", focusSearch);
  }, []);

  return (
    <nav
      className="side"
      id="notebooks"
      aria-label="Notebooks"
      data-open={open ? "" : undefined}
      onKeyDown={(event) => event.key === "Escape" && onClose()}
    >
      <div className="side-head">
        <label className="search">
          <input
            ref={search}
            type="search"
            placeholder="Search notebooks"
            aria-label="Search notebooks"
            value={query}
            onChange={(event) => setQuery(event.target.value)}
          />
          <span className="key only-wide">/</span>
        </label>
        <button
          type="button"
          className="btn square"
          aria-label="New notebook"
          title="New notebook"
          onClick={() => void createAndOpen()}
        >
          <PlusIcon />
        </button>
      </div>
      <div className="side-body">
        {status === "loading" && <p className="side-note">Fetching your notebooks</p>}
        {status === "failed" && <p className="side-note">The list cannot be fetched: {failure}</p>}
        {status === "ready" && groups.length === 0 && (
          <p className="side-note">{query === "" ? "No notebooks yet." : "No notebook has this name."}</p>
        )}
        {groups.map(([heading, members]) => (
          <section key={heading} aria-label={heading}>
            <h3>{heading}</h3>
            <ul>
              {members.map((notebook) => (
                <li key={notebook.id}>
                  <NotebookRow notebook={notebook} current={notebook.id === current} now={now} onOpen={onClose} />
                  {notebook.id === current && <Outline onGo={onClose} />}
                </li>
              ))}
            </ul>
          </section>
        ))}
        {trash.length > 0 && (
          <section aria-label="Trash">
            <h3>
              <button type="button" aria-expanded={trashOpen} onClick={() => setTrashOpen(!trashOpen)}>
                Trash · {trash.length}
              </button>
            </h3>
            {trashOpen && (
              <ul>
                {trash.filter(matches).map((notebook) => (
                  <li key={notebook.id}>
                    <TrashRow notebook={notebook} now={now} />
                  </li>
                ))}
              </ul>
            )}
          </section>
        )}
      </div>
    </nav>
  );
}
