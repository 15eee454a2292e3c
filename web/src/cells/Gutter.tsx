import { useNotebook, useNumber } from "../store/hooks";
import { PlayIcon } from "../shell/icons";
import type { CellStatus } from "../wire/types";
import { statusWords } from "./status";

interface Props {
  id: string;
  status: CellStatus;
  canRun: boolean;
}

/** State, place and Run, at the left of a cell that runs. */
export function Gutter({ id, status, canRun }: Props) {
  const { session, actions } = useNotebook();
  const number = useNumber(id);
  const unplan = () => session.focus.plan(new Set());
  const plan = () => session.focus.plan(actions.planOf(id));
  return (
    <div className="gut">
      <span
        className="dot"
        data-status={status}
        role="img"
        aria-label={statusWords(status)}
        title={statusWords(status)}
      />
      <span aria-hidden="true">{number}</span>
      {canRun && (
        <button
          type="button"
          aria-label={`Run cell ${number}`}
          title="Run (Ctrl-Enter)"
          tabIndex={-1}
          onClick={() => {
            unplan();
            void actions.run([id]);
          }}
          onPointerEnter={plan}
          onPointerLeave={unplan}
        >
          <PlayIcon />
        </button>
      )}
    </div>
  );
}
