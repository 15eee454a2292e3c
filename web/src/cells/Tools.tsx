import { DownIcon, EyeIcon, PowerIcon, TrashIcon, UpIcon } from "../shell/icons";
import { useNotebook } from "../store/hooks";
import type { CellType } from "../wire/types";

interface Props {
  id: string;
  type: CellType;
  codeHidden: boolean;
  disabled: boolean;
}

/** What can be done to a cell, shown while it is pointed at or has the focus. */
export function Tools({ id, type, codeHidden, disabled }: Props) {
  const { actions } = useNotebook();
  const other: CellType = type === "markdown" ? "python" : "markdown";
  return (
    <div className="tools" role="toolbar" aria-label="Cell">
      <button type="button" aria-label="Move up" title="Move up (Alt-Up)" onClick={() => actions.move(id, -1)}>
        <UpIcon />
      </button>
      <button type="button" aria-label="Move down" title="Move down (Alt-Down)" onClick={() => actions.move(id, 1)}>
        <DownIcon />
      </button>
      <button
        type="button"
        title={other === "markdown" ? "Turn into text (M)" : "Turn into Python (Y)"}
        onClick={() => actions.convert(id, other)}
      >
        {other === "markdown" ? "To text" : "To Python"}
      </button>
      {type !== "markdown" && (
        <button
          type="button"
          aria-label={codeHidden ? "Show code" : "Hide code"}
          title={codeHidden ? "Show code" : "Hide code"}
          aria-pressed={codeHidden}
          onClick={() => actions.configureCell(id, { code_hidden: !codeHidden })}
        >
          <EyeIcon />
        </button>
      )}
      {type !== "markdown" && (
        <button
          type="button"
          aria-label={disabled ? "Switch on" : "Switch off"}
          title={disabled ? "Switch on: it runs again" : "Switch off: neither it nor what needs it runs"}
          aria-pressed={disabled}
          onClick={() => actions.configureCell(id, { disabled: !disabled })}
        >
          <PowerIcon />
        </button>
      )}
      <button type="button" aria-label="Delete cell" title="Delete (D D)" onClick={() => actions.remove(id)}>
        <TrashIcon />
      </button>
    </div>
  );
}
