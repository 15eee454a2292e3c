import { useEffect, useState } from "react";
import { duration } from "../shell/words";
import { useNotebook } from "../store/hooks";
import type { CellView } from "../store/session";
import { statusOf } from "./status";

const TICK_MS = 100;

function Elapsed({ since }: { since: number }) {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  return <span>running {duration(Math.max(0, now - since))}</span>;
}

function QueueLength() {
  const { session } = useNotebook();
  const queued = session.order.filter((id) => session.document.cells.get(id)?.live?.status === "queued").length;
  return queued > 0 ? <span>queue: {queued}</span> : null;
}

/** One quiet line below a cell: how long, which revision, or why not. */
export function Foot({ view }: { view: CellView }) {
  const { cell, live } = view;
  const status = statusOf(view);
  if (live?.status === "running") {
    return (
      <div className="foot">
        <Elapsed since={live.startedAt} />
        <QueueLength />
      </div>
    );
  }
  if (status === "queued") return <div className="foot">queued</div>;
  if (cell.config.disabled) return <div className="foot">switched off</div>;
  if (status === "stale")
    return <div className="foot">{cell.stale_since > 0 ? `stale since r ${cell.stale_since}` : "stale"}</div>;
  if (!cell.run || status === "blocked") return null;
  return (
    <div className="foot">
      <span>{duration(cell.run.duration_ms)}</span>
      <span>r {cell.run.revision}</span>
    </div>
  );
}
