import { memo } from "react";
import { useNotebook } from "../store/hooks";

/** Adds a cell between two others. */
export const AddBar = memo(function AddBar({ after, last }: { after: string | null; last: boolean }) {
  const { actions } = useNotebook();
  return (
    <div className="add" data-last={last ? "" : undefined} role="group" aria-label="Add a cell here">
      <span>
        <button type="button" aria-label="Add a Python cell here" onClick={() => actions.insert("python", after)}>
          Python
        </button>
        {" · "}
        <button type="button" aria-label="Add a text cell here" onClick={() => actions.insert("markdown", after)}>
          Text
        </button>
      </span>
    </div>
  );
});
