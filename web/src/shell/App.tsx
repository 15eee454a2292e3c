import { useEffect, useState } from "react";
import { LogLine } from "../log/LogLine";
import { Panel } from "../panel/Panel";
import { NotebookContext } from "../store/hooks";
import { Home } from "./Home";
import { NotebookList } from "./NotebookList";
import { NotebookPage } from "./NotebookPage";
import { useNotebookId } from "./route";
import { Toasts } from "./Toasts";
import { TopBar } from "./TopBar";
import { useOpenNotebook } from "./useOpenNotebook";

export function App() {
  const id = useNotebookId();
  const open = useOpenNotebook(id);
  const [sheet, setSheet] = useState<"list" | "panel" | null>(null);
  const close = () => setSheet(null);
  useEffect(close, [id]);
  return (
    <NotebookContext value={open}>
      <div className="app">
        <TopBar
          listOpen={sheet === "list"}
          onList={() => setSheet(sheet === "list" ? null : "list")}
          onPanel={() => setSheet("panel")}
        />
        <NotebookList open={sheet === "list"} onClose={close} />
        <div className="veil" data-open={sheet ? "" : undefined} onClick={close} />
        <main className="main" key={id}>
          {id === null && <Home />}
          {open && open.session.id === id && <NotebookPage />}
        </main>
        {open ? <Panel open={sheet === "panel"} onClose={close} /> : <aside className="panel only-wide" />}
        {open ? <LogLine /> : <footer className="log" />}
      </div>
      <Toasts />
    </NotebookContext>
  );
}
