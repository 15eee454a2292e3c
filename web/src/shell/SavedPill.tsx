import { useConnection, useNotebook, useSaved } from "../store/hooks";
import { savedWords } from "../store/saved";

/** Says whether everything is durable: never "saved" of what the server has not acknowledged. */
export function SavedPill() {
  const { session } = useNotebook();
  const saved = useSaved();
  const connection = useConnection();
  if (saved.kind === "opening" && connection !== "opening") return null; // there is nothing here to be saved
  const words = savedWords(saved);
  const content = (
    <>
      <i aria-hidden="true" />
      <b>{words}</b>
      {saved.kind === "saved" && <span className="mono">r {saved.revision}</span>}
    </>
  );
  if (saved.kind === "conflict") {
    return (
      <button
        type="button"
        className="saved"
        data-kind={saved.kind}
        title="Go to the conflict"
        onClick={() => session.focus.want(saved.cellId, "command")}
      >
        {content}
      </button>
    );
  }
  const title = saved.kind === "read_only" ? saved.reason : words;
  return (
    <div className="saved" data-kind={saved.kind} title={title} role="group" aria-label="Saved state">
      {content}
    </div>
  );
}
