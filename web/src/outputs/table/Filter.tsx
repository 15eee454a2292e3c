import { useState } from "react";
import type { TableFilter } from "../../wire/types";
import { type Column, needsValue, type Op, opsOf, opWords } from "./model";

interface Props {
  column: Column;
  at: number;
  now: TableFilter | undefined;
  onApply(filter: TableFilter | null): void;
  onClose(): void;
}

/** The line above a table where one column's filter is written. */
export function Filter({ column, at, now, onApply, onClose }: Props) {
  const ops = opsOf(column.kind);
  const [op, setOp] = useState<Op>(now?.op ?? ops[0] ?? "eq");
  const [value, setValue] = useState(now?.value === undefined || now.value === null ? "" : String(now.value));
  return (
    <form
      className="table-filter"
      aria-label={`Filter ${column.name}`}
      onSubmit={(event) => {
        event.preventDefault();
        onApply(needsValue(op) ? { column: at, op, value } : { column: at, op });
      }}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === "Escape") onClose();
      }}
    >
      <b>{column.name}</b>
      <select aria-label="Condition" value={op} onChange={(event) => setOp(event.target.value as Op)}>
        {ops.map((each) => (
          <option key={each} value={each}>
            {opWords(each)}
          </option>
        ))}
      </select>
      {needsValue(op) && (
        <input
          aria-label="Value"
          autoFocus
          value={value}
          placeholder={column.kind === "time" ? "2026-01-31" : ""}
          onChange={(event) => setValue(event.target.value)}
        />
      )}
      <button type="submit" className="btn primary">
        Filter
      </button>
      {now && (
        <button type="button" className="btn" onClick={() => onApply(null)}>
          Remove
        </button>
      )}
      <button type="button" className="btn ghost" onClick={onClose}>
        Close
      </button>
    </form>
  );
}
