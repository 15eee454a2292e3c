import { useMemo } from "react";
import { StaticCode } from "../editor/StaticCode";
import { CellOutputs } from "../outputs/CellOutputs";
import { Markdown } from "../outputs/Markdown";
import { clockTime, plural } from "../shell/words";
import { State } from "../shell/State";
import { useEntries, useNotebook, usePast } from "../store/hooks";
import { numbersOf } from "../store/numbering";
import type { Cell, Notebook } from "../wire/types";
import { diffLines } from "./diff";

/** Says that this is not now, and offers the two ways out. */
export function PastBanner() {
  const { session, actions } = useNotebook();
  const past = usePast();
  const entries = useEntries();
  if (!past) return null;
  const entry = entries.find((each) => each.revision === past.revision);
  return (
    <div className="banner" role="status">
      <span>
        The notebook as of <span className="mono">r {past.revision}</span>
        {entry && `, ${clockTime(entry.at, Date.now())}: ${entry.summary}`}
      </span>
      <span className="grow" />
      <button type="button" className="btn small" onClick={() => actions.restore(past.revision)}>
        Restore
      </button>
      <button type="button" className="btn small ghost" onClick={() => void session.history.lookAt(null)}>
        Back to now
      </button>
    </div>
  );
}

/** An earlier revision: to read, not to change. */
export function PastSheet() {
  const { session } = useNotebook();
  const past = usePast();
  if (!past) return null;
  if (past.failure !== "") {
    return (
      <State
        title={`Revision ${past.revision} cannot be shown`}
        action={
          <button type="button" className="btn" onClick={() => void session.history.lookAt(past.revision)}>
            Try again
          </button>
        }
      >
        {past.failure}
      </State>
    );
  }
  return past.notebook && <Content notebook={past.notebook} />;
}

function Content({ notebook }: { notebook: Notebook }) {
  const numbers = useMemo(() => {
    const types = new Map(notebook.cells.map((cell) => [cell.id, cell.type]));
    return numbersOf([...types.keys()], (id) => types.get(id) ?? "python");
  }, [notebook]);
  return (
    <div className="sheet">
      <h1 className="title">{notebook.name}</h1>
      <p className="sub">
        {plural(notebook.cells.length, "cell")} · as of r {notebook.revision}
      </p>
      {notebook.cells.map((cell) => (
        <PastCell key={cell.id} cell={cell} number={numbers.get(cell.id) ?? null} />
      ))}
    </div>
  );
}

function PastCell({ cell, number }: { cell: Cell; number: number | null }) {
  const { session } = useNotebook();
  const now = session.view(cell.id);
  const nowText = now ? (now.draft?.text ?? now.cell.code) : null;
  const differs = nowText !== null && nowText !== cell.code;
  if (cell.type === "markdown" && !differs) {
    return (
      <section className="cell past">
        <Markdown source={cell.code} />
      </section>
    );
  }
  return (
    <section className="cell past" aria-label={number === null ? "Text cell" : `Cell ${number}`}>
      <div className="gut">
        {number !== null && <span className="dot" data-status={cell.status} />}
        <span>{number}</span>
      </div>
      <div className="code">
        {differs ? (
          <Diff then={cell.code} now={nowText} />
        ) : (
          <StaticCode code={cell.code} language={cell.type === "markdown" ? "markdown" : "python"} hint="" />
        )}
      </div>
      <CellOutputs view={{ cell, live: null, draft: null }} />
      {(differs || nowText === null) && (
        <div className="foot">
          {differs ? "differs from now: + would come back, − would go" : "not there now: would come back"}
        </div>
      )}
    </section>
  );
}

function Diff({ then, now }: { then: string; now: string }) {
  const lines = useMemo(() => diffLines(then, now), [then, now]);
  return (
    <pre className="static-code diff">
      {lines.map((line, index) => {
        if (line.kind === "then") return <ins key={index}>+ {line.text}</ins>;
        if (line.kind === "now") return <del key={index}>− {line.text}</del>;
        return <span key={index}>{`  ${line.text}\n`}</span>;
      })}
    </pre>
  );
}
