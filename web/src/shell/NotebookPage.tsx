import { useEffect } from "react";
import { Sheet } from "../cells/Sheet";
import { PastBanner, PastSheet } from "../log/PastSheet";
import { library } from "../store/library";
import { useConnection, useMeta, useName, useNotebook, usePast } from "../store/hooks";
import { forgetOpened, goHome, openNotebook } from "./route";
import { State } from "./State";

const SIGN_IN = (
  <>
    This browser has no key to the server. Open the address printed by <span className="mono">quire serve</span>.
  </>
);

/** "Running" and "Failed" where a reader with many tabs looks. */
function useTabTitle(): void {
  const { session } = useNotebook();
  const meta = useMeta();
  const name = useName();
  useEffect(() => {
    const failed = [...session.document.cells.values()].some(({ cell }) => cell.status === "error");
    const state = meta?.kernel === "busy" ? "Running · " : failed ? "Failed · " : "";
    document.title = `${state}${name || "Untitled"} · Quire`;
  }, [session, meta, name]);
  useEffect(
    () => () => {
      document.title = "Quire";
    },
    [],
  );
}

/** The open notebook, or why it is not on the page. */
export function NotebookPage() {
  const { session } = useNotebook();
  const connection = useConnection();
  const meta = useMeta();
  const past = usePast();
  useTabTitle();
  useEffect(() => {
    if (meta && meta.id !== session.id) openNotebook(meta.id, "replace"); // a short form such as /n/demo
  }, [session, meta]);

  if (connection === "missing") return <Missing />;
  if (!meta) {
    if (connection === "unauthorized") return <State title="Not signed in">{SIGN_IN}</State>;
    if (connection === "offline") return <Unreachable detail={session.failure} />;
    return (
      <div className="state waiting" role="status">
        Opening the notebook
      </div>
    );
  }
  return (
    <>
      {connection === "unauthorized" && (
        <div className="banner warn" role="status">
          {SIGN_IN} What you type is kept here.
        </div>
      )}
      {meta.read_only !== null && (
        <div className="banner warn" role="status">
          {meta.read_only}
        </div>
      )}
      {meta.deleted_at ? <TrashBanner /> : null}
      <PastBanner />
      {past && <PastSheet />}
      <div hidden={past !== null}>
        <Sheet />
      </div>
    </>
  );
}

function Missing() {
  return (
    <State
      title="No such notebook"
      action={
        <button
          type="button"
          className="btn"
          onClick={() => {
            forgetOpened();
            goHome();
          }}
        >
          Go to your notebooks
        </button>
      }
    >
      It was deleted for good, or it is not yours.
    </State>
  );
}

function Unreachable({ detail }: { detail: string }) {
  return (
    <State
      title="The server does not answer"
      action={
        <button type="button" className="btn" onClick={() => location.reload()}>
          Try now
        </button>
      }
    >
      {detail || "The page tries again by itself, every few seconds."}
    </State>
  );
}

function TrashBanner() {
  const { session } = useNotebook();
  return (
    <div className="banner warn" role="status">
      <span>This notebook is in the trash.</span>
      <span className="grow" />
      <button
        type="button"
        className="btn small"
        onClick={() => library.restore(session.id).catch((reason: unknown) => session.onFailure(String(reason)))}
      >
        Restore
      </button>
    </div>
  );
}
