import { clockTime } from "../shell/words";
import { useEntries, useNotebook, usePast } from "../store/hooks";
import { isRun } from "../store/history";

/** The newest commits in words, newest first. A click shows the notebook as of then. */
export function HistoryList() {
  const { session } = useNotebook();
  const entries = useEntries();
  const past = usePast();
  const head = entries.at(-1)?.revision;
  if (entries.length === 0) return <p className="panel-note">Fetching the history</p>;
  return (
    <ol className="commits">
      {entries.toReversed().map((entry) => (
        <li key={entry.revision}>
          <button
            type="button"
            data-run={isRun(entry) ? "" : undefined}
            aria-current={entry.revision === (past?.revision ?? head) ? "true" : undefined}
            onClick={() => void session.history.lookAt(entry.revision === head ? null : entry.revision)}
          >
            <span>{entry.summary}</span>
            <span className="mono">r {entry.revision}</span>
            <small>{clockTime(entry.at, Date.now())}</small>
          </button>
        </li>
      ))}
    </ol>
  );
}
