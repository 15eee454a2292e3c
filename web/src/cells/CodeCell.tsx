import { CodeEditor } from "../editor/CodeEditor";
import type { EditorEvents } from "../editor/setup";
import { StaticCode } from "../editor/StaticCode";
import { helpOf } from "../store/help";
import { useNotebook } from "../store/hooks";
import type { CellView } from "../store/session";
import { Chips } from "./Chips";

interface Props {
  view: CellView;
  text: string;
  near: boolean;
  readOnly: boolean;
  focusWish: number;
  events: EditorEvents;
  onEdit(): void;
}

const HINT = "Python";

/** The code of a cell, with the names that it reads and writes. An editor only where one is in reach. */
export function CodeCell({ view, text, near, readOnly, focusWish, events, onEdit }: Props) {
  const { session, actions } = useNotebook();
  const { cell } = view;
  if (cell.config.code_hidden) {
    return (
      <div className="code">
        <button
          type="button"
          className="code-folded"
          onClick={() => actions.configureCell(cell.id, { code_hidden: false })}
        >
          Code hidden, {text.split("\n").length} lines. Show
        </button>
      </div>
    );
  }
  const names = () => new Set(session.cellsInOrder().flatMap((each) => each.writes));
  return (
    <div className="code">
      {near ? (
        <CodeEditor
          text={text}
          label="Python code"
          language="python"
          readOnly={readOnly}
          hint={HINT}
          focusWish={focusWish}
          names={names}
          help={helpOf(session, cell.id)}
          events={events}
          onEdit={onEdit}
        />
      ) : (
        <div onMouseDown={onEdit}>
          <StaticCode code={text} language="python" hint={HINT} />
        </div>
      )}
      <Chips cell={cell} code={text} />
    </div>
  );
}
