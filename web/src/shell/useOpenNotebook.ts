import { useEffect, useState } from "react";
import { Actions } from "../store/actions";
import type { OpenNotebook } from "../store/hooks";
import { library } from "../store/library";
import { Session } from "../store/session";
import { announceRuns } from "./announce";
import { notices } from "./notices";
import { rememberOpened } from "./route";

function open(id: string): OpenNotebook {
  const session = new Session(id);
  session.onFailure = (reason) => notices.show(reason);
  session.onCommit = (commit) => {
    announceRuns(session, commit);
    library.patch(id, { name: session.name, updated_at: commit.at, revision: commit.revision });
  };
  const actions = new Actions(
    session,
    (words, how) => (how === "shown" ? notices.show(words) : notices.speak(words)),
    (words, undo) => notices.show(words, { label: "Undo", run: undo }),
  );
  session.start();
  return { session, actions };
}

/** The notebook with this id, live for as long as the page shows it. */
export function useOpenNotebook(id: string | null): OpenNotebook | null {
  const [opened, setOpened] = useState<OpenNotebook | null>(null);
  useEffect(() => {
    if (id === null) return;
    rememberOpened(id);
    const notebook = open(id);
    setOpened(notebook);
    return () => {
      notebook.session.stop();
      setOpened(null);
    };
  }, [id]);
  return opened;
}
