import { useEffect } from "react";
import { library, useLibrary } from "../store/library";
import type { NotebookHeader } from "../wire/types";
import { notices } from "./notices";
import { lastOpened, openNotebook } from "./route";
import { State } from "./State";

function first(notebooks: readonly NotebookHeader[]): string | null {
  const last = notebooks.find((each) => each.id === lastOpened());
  const demo = notebooks.find((each) => each.id.startsWith("demo-"));
  return (last ?? demo ?? notebooks[0])?.id ?? null;
}

async function createFirst(): Promise<void> {
  try {
    openNotebook(await library.create(), "replace");
  } catch (reason) {
    notices.show(`The notebook was not created: ${(reason as Error).message}`);
  }
}

/** The address without a notebook: goes on to the last one, or the demo. */
export function Home() {
  const { status, failure, notebooks } = useLibrary();
  const target = first(notebooks);
  useEffect(() => {
    if (status === "ready" && target !== null) openNotebook(target, "replace");
  }, [status, target]);

  if (status === "unauthorized") {
    return (
      <State title="Not signed in">
        This browser has no key to the server. Open the address printed by <span className="mono">quire serve</span>.
      </State>
    );
  }
  if (status === "failed") {
    return (
      <State
        title="The server does not answer"
        action={
          <button type="button" className="btn" onClick={() => void library.refresh()}>
            Try again
          </button>
        }
      >
        {failure}
      </State>
    );
  }
  if (status === "ready" && target === null) {
    return (
      <State
        title="No notebooks yet"
        action={
          <button type="button" className="btn primary" onClick={() => void createFirst()}>
            New notebook
          </button>
        }
      >
        A notebook is a sheet of Python and text that keeps its whole history.
      </State>
    );
  }
  return null;
}
