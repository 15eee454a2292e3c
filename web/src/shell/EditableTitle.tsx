import { useState } from "react";
import { useName, useNotebook, useReadOnly } from "../store/hooks";

const UNTITLED = "Untitled";

/** The notebook's name in its own voice; a click turns it into a field. */
export function EditableTitle() {
  const { actions } = useNotebook();
  const name = useName();
  const readOnly = useReadOnly();
  const [draft, setDraft] = useState<string | null>(null);
  if (readOnly) return <h1 className="title">{name || UNTITLED}</h1>;
  if (draft === null) {
    return (
      <h1 className="title">
        <button type="button" title="Rename" onClick={() => setDraft(name)}>
          {name || UNTITLED}
        </button>
      </h1>
    );
  }
  const finish = (save: boolean) => {
    if (save) actions.rename(draft);
    setDraft(null);
  };
  return (
    <input
      className="title"
      aria-label="Notebook name"
      autoFocus
      value={draft}
      maxLength={200}
      onFocus={(event) => event.target.select()}
      onChange={(event) => setDraft(event.target.value)}
      onBlur={() => finish(true)}
      onKeyDown={(event) => {
        if (event.key === "Enter") finish(true);
        if (event.key === "Escape") finish(false);
      }}
    />
  );
}
