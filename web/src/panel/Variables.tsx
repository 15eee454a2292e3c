import { useEffect, useState } from "react";
import { useMeta, useNotebook, useTopic } from "../store/hooks";
import type { Variable, VariablesAnswer } from "../wire/types";

/** What the kernel holds, name by name; asked for anew whenever it has run something. */
export function Variables() {
  const { session } = useNotebook();
  const kernel = useMeta()?.kernel ?? "none";
  const revision = useTopic("history", () => session.document.revision);
  const [told, setTold] = useState<VariablesAnswer | null>(null);
  const [trouble, setTrouble] = useState("");

  useEffect(() => {
    if (kernel !== "idle") return;
    let wanted = true;
    session.questions.ask({ type: "variables" }).then(
      (answer) => {
        if (!wanted) return;
        setTold(answer);
        setTrouble("");
      },
      (reason: Error) => wanted && setTrouble(reason.message),
    );
    return () => {
      wanted = false;
    };
  }, [session, kernel, revision]);

  if (kernel === "none" || kernel === "dead")
    return <p className="panel-note">No kernel runs. Its variables are listed here after a run.</p>;
  if (told === null)
    return <p className="panel-note">{trouble || "The kernel is busy: variables are listed after the run."}</p>;
  if (told.variables.length === 0) return <p className="panel-note">No cell has defined a variable yet.</p>;
  return (
    <>
      <ul className="variables" aria-label="Variables">
        {told.variables.map((variable) => (
          <li key={`${variable.cell_id} ${variable.name}`}>
            <Row variable={variable} />
          </li>
        ))}
      </ul>
      {told.total > told.variables.length && (
        <p className="panel-note">
          {told.variables.length.toLocaleString("en")} of {told.total.toLocaleString("en")} are listed.
        </p>
      )}
    </>
  );
}

function Row({ variable }: { variable: Variable }) {
  const { session } = useNotebook();
  const number = useTopic("sequence", () => session.numbers.get(variable.cell_id) ?? null);
  const text = [variable.shape, variable.value].filter((each) => each !== "").join("  ");
  return (
    <button
      type="button"
      className="variable"
      onClick={() => session.focus.want(variable.cell_id, "command")}
      title={number === null ? undefined : `Defined in cell ${number}`}
    >
      <span className="variable-name">{variable.name}</span>
      <span className="variable-type">{variable.type}</span>
      <span className="variable-value">{text}</span>
      <span className="variable-size">{variable.size === null ? "" : bytes(variable.size)}</span>
    </button>
  );
}

/** Bytes in the unit that leaves one to three digits. */
export function bytes(count: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = count;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value >= 10 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
