import { type MouseEvent, useState } from "react";
import { library } from "../store/library";
import { notebookPath } from "../wire/ids";
import type { NotebookHeader } from "../wire/types";
import { PencilIcon, RestoreIcon, TrashIcon } from "./icons";
import { notices } from "./notices";
import { goHome, openNotebook } from "./route";
import { daysLeft, shortAge } from "./words";

const UNTITLED = "Untitled";

function report(what: string, reason: unknown): void {
  notices.show(`${what}: ${reason instanceof Error ? reason.message : String(reason)}`);
}

async function remove(notebook: NotebookHeader, current: boolean): Promise<void> {
  try {
    await library.remove(notebook.id);
  } catch (reason) {
    report("Not deleted", reason);
    return;
  }
  if (current) goHome();
  notices.show(`${notebook.name || UNTITLED} is in the trash`, {
    label: "Undo",
    run: () => void restore(notebook, current),
  });
}

async function restore(notebook: NotebookHeader, open: boolean): Promise<void> {
  try {
    await library.restore(notebook.id);
    if (open) openNotebook(notebook.id);
  } catch (reason) {
    report("Not restored", reason);
  }
}

interface Props {
  notebook: NotebookHeader;
  current: boolean;
  now: number;
  onOpen(): void;
}

/** One notebook of the list: open by click, rename by double click. */
export function NotebookRow({ notebook, current, now, onOpen }: Props) {
  const [draft, setDraft] = useState<string | null>(null);
  const name = notebook.name || UNTITLED;

  if (draft !== null) {
    const finish = (save: boolean) => {
      setDraft(null);
      const wanted = draft.trim();
      if (save && wanted !== "" && wanted !== notebook.name) {
        library.rename(notebook.id, wanted).catch((reason: unknown) => {
          report("Not renamed", reason);
          void library.refresh();
        });
      }
    };
    return (
      <div className="nb" data-current={current ? "" : undefined}>
        <input
          aria-label="Notebook name"
          autoFocus
          value={draft}
          onFocus={(event) => event.target.select()}
          onChange={(event) => setDraft(event.target.value)}
          onBlur={() => finish(true)}
          onKeyDown={(event) => {
            if (event.key === "Enter") finish(true);
            if (event.key === "Escape") {
              event.stopPropagation();
              finish(false);
            }
          }}
        />
      </div>
    );
  }

  const open = (event: MouseEvent) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    if (!current) openNotebook(notebook.id);
    onOpen();
  };
  return (
    <div className="nb" data-current={current ? "" : undefined}>
      <a
        href={notebookPath(notebook.id)}
        aria-current={current ? "page" : undefined}
        title={name}
        onClick={open}
        onDoubleClick={() => setDraft(notebook.name)}
      >
        <span>{name}</span>
        <time dateTime={new Date(notebook.updated_at).toISOString()}>{shortAge(notebook.updated_at, now)}</time>
      </a>
      <div className="nb-tools">
        <button type="button" aria-label={`Rename ${name}`} title="Rename" onClick={() => setDraft(notebook.name)}>
          <PencilIcon />
        </button>
        <button
          type="button"
          aria-label={`Delete ${name}`}
          title="Move to the trash"
          onClick={() => void remove(notebook, current)}
        >
          <TrashIcon />
        </button>
      </div>
    </div>
  );
}

export function TrashRow({ notebook, now }: { notebook: NotebookHeader; now: number }) {
  const name = notebook.name || UNTITLED;
  return (
    <div className="nb">
      <a href={notebookPath(notebook.id)} title={name} onClick={(event) => event.preventDefault()}>
        <span>{name}</span>
        <time>{daysLeft(notebook.deleted_at ?? now, now)}</time>
      </a>
      <div className="nb-tools">
        <button
          type="button"
          aria-label={`Restore ${name}`}
          title="Restore"
          onClick={() => void restore(notebook, true)}
        >
          <RestoreIcon />
        </button>
      </div>
    </div>
  );
}
