import { type FocusEvent, type KeyboardEvent, memo, useEffect, useMemo, useRef } from "react";
import type { EditorEvents } from "../editor/setup";
import { CellOutputs } from "../outputs/CellOutputs";
import { useCell, useCellUi, useNotebook, useNumber, useReadOnly, useTopic } from "../store/hooks";
import { typeOf } from "../store/session";
import { CodeCell } from "./CodeCell";
import { advance, commandKey } from "./commands";
import { Conflict } from "./Conflict";
import { Foot } from "./Foot";
import { Gutter } from "./Gutter";
import { useNear } from "./near";
import { statusOf, statusWords } from "./status";
import { TextCell } from "./TextCell";
import { Tools } from "./Tools";

function useEditorEvents(id: string): EditorEvents {
  const notebook = useNotebook();
  return useMemo(() => {
    const { session, actions } = notebook;
    const isText = () => typeOf(session.view(id)) === "markdown";
    return {
      changed: (text) => session.edits.type(id, text),
      blurred: () => session.edits.flush(id),
      runAndAdvance: () => advance(id, notebook, "edit"),
      run: () => {
        if (isText()) session.focus.want(id, "command");
        else void actions.run([id]);
      },
      leave: () => session.focus.want(id, "command"),
      beyond: (direction) => {
        const next = actions.neighbour(id, direction);
        if (next !== null) session.focus.want(next, session.numbers.has(next) ? "edit" : "command");
      },
    };
  }, [id, notebook]);
}

/** One cell of the sheet. It hears of its own changes only. */
export const CellRow = memo(function CellRow({ id }: { id: string }) {
  const notebook = useNotebook();
  const { session } = notebook;
  const view = useCell(id);
  const ui = useCellUi(id);
  const number = useNumber(id);
  const readOnly = useReadOnly();
  const isFirst = useTopic("selected", ({ focus, order }) => focus.selected === null && order[0] === id);
  const section = useRef<HTMLElement>(null);
  const { near, seen } = useNear(section);
  const events = useEditorEvents(id);

  useEffect(() => {
    if (ui.wish === 0 || ui.mode !== "command") return;
    section.current?.focus({ preventScroll: true });
    section.current?.scrollIntoView({ block: "nearest" });
  }, [ui.wish, ui.mode]);

  if (!view) return null;
  const type = typeOf(view);
  const isText = type === "markdown";
  const status = statusOf(view);
  const text = view.draft?.text ?? view.cell.code;
  const editing = ui.mode === "edit";
  const shared = {
    text,
    readOnly,
    events,
    focusWish: editing ? ui.wish : 0,
    onEdit: () => session.focus.want(id, "edit"),
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target !== section.current || !commandKey(event, id, notebook)) return;
    event.preventDefault();
    event.stopPropagation();
  };
  const onFocus = (event: FocusEvent<HTMLElement>) => {
    const inEditor = event.target instanceof Element && event.target.closest("[data-editor]") !== null;
    session.focus.noticed(id, inEditor ? "edit" : "command");
  };

  return (
    <section
      ref={section}
      id={`cell-${id}`}
      className="cell"
      tabIndex={ui.mode !== null || isFirst ? 0 : -1}
      aria-label={isText ? "Text cell" : `Cell ${number}, ${statusWords(status)}`}
      data-mode={ui.mode ?? undefined}
      data-status={isText ? undefined : status}
      data-planned={ui.planned ? "" : undefined}
      data-linked={ui.linked ? "" : undefined}
      data-disabled={view.cell.config.disabled ? "" : undefined}
      onKeyDown={onKeyDown}
      onFocus={onFocus}
    >
      {isText ? (
        <TextCell {...shared} editing={editing} />
      ) : (
        <>
          <Gutter id={id} status={status} canRun={!readOnly} />
          <CodeCell {...shared} view={view} near={near || editing} />
        </>
      )}
      {(near || ui.mode !== null) && !readOnly && (
        <Tools id={id} type={type} codeHidden={view.cell.config.code_hidden} disabled={view.cell.config.disabled} />
      )}
      {view.draft?.trouble && <Conflict id={id} draft={view.draft} />}
      {!isText && !view.cell.config.output_hidden && (seen ? <CellOutputs view={view} /> : null)}
      {!isText && <Foot view={view} />}
    </section>
  );
});
