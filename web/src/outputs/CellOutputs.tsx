import { useLayoutEffect, useRef, useState } from "react";
import { useNotebook } from "../store/hooks";
import { cellLabel } from "../store/numbering";
import type { CellView } from "../store/session";
import { ErrorBox } from "./ErrorBox";
import { LongText } from "./LongText";
import { OutputView } from "./OutputView";

/** The height that the last result had: kept while the cell runs again, so that the page below does not jump. */
function useKeptHeight(running: boolean) {
  const element = useRef<HTMLDivElement>(null);
  const [kept, setKept] = useState(0);
  const last = useRef(0);
  useLayoutEffect(() => {
    const box = element.current;
    if (!box || running) return;
    const observer = new ResizeObserver(() => (last.current = box.offsetHeight));
    observer.observe(box);
    return () => observer.disconnect();
  }, [running]);
  useLayoutEffect(() => setKept(running ? last.current : 0), [running]);
  return { element, kept };
}

function Printed({
  className,
  text,
  url,
  label,
}: {
  className: string;
  text: string;
  url: string | null;
  label: string;
}) {
  if (text === "" && url === null) return null;
  return (
    <div className={className}>
      <LongText text={text} url={url} label={label} />
    </div>
  );
}

/** What a cell printed and showed: the progress of a run while it runs, the committed result otherwise. */
export function CellOutputs({ view }: { view: CellView }) {
  const { session } = useNotebook();
  const { cell, live } = view;
  const running = live?.status === "running";
  const { element, kept } = useKeptHeight(running);
  const shown = running ? live : cell;
  const causeId = cell.error?.caused_by ?? "";
  const nameOf = (id: string) => (session.view(id) ? cellLabel(session.numbers, id) : null);
  const cause = causeId !== "" && causeId !== cell.id ? nameOf(causeId) : null;
  return (
    <div
      ref={element}
      className="outputs"
      data-old={live?.status === "queued" ? "" : undefined}
      style={kept > 0 ? { minHeight: kept } : undefined}
    >
      {running && (
        <div className="progress" role="progressbar" aria-label="Running">
          <i />
        </div>
      )}
      <Printed className="out" text={shown.stdout} url={running ? null : cell.stdout_url} label="Printed text" />
      <Printed
        className="out stderr"
        text={shown.stderr}
        url={running ? null : cell.stderr_url}
        label="Warnings and errors"
      />
      {shown.outputs.map((output, index) => (
        <OutputView key={output.display_id || index} output={output} />
      ))}
      {!running && cell.error && (
        <ErrorBox
          error={cell.error}
          cause={cause}
          nameOf={nameOf}
          onJump={() => session.focus.want(causeId, "command")}
        />
      )}
    </div>
  );
}
