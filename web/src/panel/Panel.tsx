import { type KeyboardEvent, useState } from "react";
import { CloseIcon } from "../shell/icons";
import { useTopic } from "../store/hooks";
import { Graph } from "./Graph";
import { HistoryList } from "./HistoryList";
import { Variables } from "./Variables";

const TABS = ["Graph", "Variables", "History"] as const;

/** Beside the sheet: what depends on what, and what happened. A sheet that slides in where there is no room. */
export function Panel({ open, onClose }: { open: boolean; onClose(): void }) {
  const [tab, setTab] = useState<(typeof TABS)[number]>("Graph");
  const loaded = useTopic("meta", (session) => session.document.meta !== null);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape") onClose();
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    const by = event.key === "ArrowRight" ? 1 : TABS.length - 1;
    const next = TABS[(TABS.indexOf(tab) + by) % TABS.length] ?? "Graph";
    setTab(next);
    document.getElementById(`tab-${next}`)?.focus();
  };
  if (!loaded) return <aside className="panel" />;
  return (
    <aside className="panel" id="panel" aria-label="Graph, variables and history" data-open={open ? "" : undefined}>
      <div className="tabs" role="tablist" onKeyDown={onKeyDown}>
        {TABS.map((name) => (
          <button
            key={name}
            id={`tab-${name}`}
            type="button"
            role="tab"
            aria-selected={tab === name}
            aria-controls="panel-body"
            tabIndex={tab === name ? 0 : -1}
            onClick={() => setTab(name)}
          >
            {name}
          </button>
        ))}
        <span className="grow" />
        <button type="button" className="btn ghost square only-sheet" aria-label="Close" onClick={onClose}>
          <CloseIcon />
        </button>
      </div>
      <div className="panel-body" id="panel-body" role="tabpanel" aria-labelledby={`tab-${tab}`}>
        {tab === "Graph" ? <Graph /> : tab === "Variables" ? <Variables /> : <HistoryList />}
      </div>
    </aside>
  );
}
