import { Fragment, useEffect, useState } from "react";
import { EditableTitle } from "../shell/EditableTitle";
import { longAge, plural } from "../shell/words";
import { useMeta, useNotebook, useOrder, useReadOnly } from "../store/hooks";
import { AddBar } from "./AddBar";
import { CellRow } from "./CellRow";

const REFRESH_MS = 30_000;

function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), REFRESH_MS);
    return () => clearInterval(timer);
  }, []);
  return now;
}

function SubLine() {
  const count = useOrder().length;
  const meta = useMeta();
  const now = useNow();
  if (!meta) return null;
  return (
    <p className="sub">
      {plural(count, "cell")} · edited {longAge(meta.updated_at, Math.max(now, Date.now()))}
    </p>
  );
}

function EmptySheet() {
  const { actions } = useNotebook();
  return (
    <div className="state">
      <h2>An empty sheet</h2>
      <p>Write Python, and what depends on a changed cell follows by itself.</p>
      <button type="button" className="btn primary" onClick={() => actions.insert("python", null)}>
        Add the first cell
      </button>
    </div>
  );
}

/** The notebook as it is now. */
export function Sheet() {
  const order = useOrder();
  const readOnly = useReadOnly();
  return (
    <div className="sheet">
      <EditableTitle />
      <SubLine />
      {order.length === 0 ? (
        <EmptySheet />
      ) : (
        <>
          {!readOnly && <AddBar after={null} last={false} />}
          {order.map((id, index) => (
            <Fragment key={id}>
              <CellRow id={id} />
              {!readOnly && <AddBar after={id} last={index === order.length - 1} />}
            </Fragment>
          ))}
        </>
      )}
    </div>
  );
}
