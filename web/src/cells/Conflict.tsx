import { useNotebook } from "../store/hooks";
import type { Draft } from "../store/drafts";

/** Two texts for one cell: nothing is lost, the reader decides. The editor above holds mine. */
export function Conflict({ id, draft }: { id: string; draft: Draft }) {
  const { session, actions } = useNotebook();
  if (draft.trouble?.kind === "refused") {
    return (
      <div className="conflict" role="group" aria-label="Not saved">
        <p>
          <b>Not saved.</b> {draft.trouble.reason} Your text stays here; change it to try again.
        </p>
      </div>
    );
  }
  if (draft.trouble?.kind !== "conflict") return null;
  const { theirs } = draft.trouble;
  const theirText = session.document.cells.get(id)?.cell.code ?? theirs?.code;
  return (
    <div className="conflict" role="group" aria-label="Conflict">
      <p>
        {theirs ? (
          <>
            <b>Somebody else changed this cell.</b> Yours is above; theirs, saved, is this:
          </>
        ) : (
          <>
            <b>Somebody else deleted this cell.</b> Your text above is kept in this browser.
          </>
        )}
      </p>
      {theirs && (
        <pre tabIndex={0} aria-label="Their text">
          {theirText}
        </pre>
      )}
      <div className="row">
        <button type="button" className="btn small" onClick={() => actions.keepMine(id)}>
          {theirs ? "Keep mine" : "Keep mine as a new cell"}
        </button>
        <button type="button" className="btn small ghost" onClick={() => actions.takeTheirs(id)}>
          {theirs ? "Take theirs" : "Let it go"}
        </button>
      </div>
    </div>
  );
}
