import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from "react";
import type { TableFilter, TableSort } from "../../wire/types";
import { Filter } from "./Filter";
import { Histogram } from "./Histogram";
import { isNumeric, nextSort, opWords, parseTable, SCROLLED_MAX, shown, type Table, tsv, widths } from "./model";
import { useRows } from "./useRows";

const ROW_PX = 28;
const HEAD_PX = 58;
const ROWS_SHOWN_MAX = 12;
const PROFILED_MAX = 12;

/** A data frame: its rows come from the kernel as they are scrolled to, sorted and filtered there. */
export default function DataTable({ text }: { text: string }) {
  const table = useMemo(() => parseTable(text), [text]);
  if (!table) return <pre>{text}</pre>;
  return <Grid table={table} />;
}

function Grid({ table }: { table: Table }) {
  const [sort, setSort] = useState<TableSort[]>([]);
  const [filters, setFilters] = useState<TableFilter[]>([]);
  const [editing, setEditing] = useState<number | null>(null);
  const [active, setActive] = useState({ row: 0, column: 0 });
  const [near, setNear] = useState(false);
  const [copied, setCopied] = useState("");
  const scroller = useRef<HTMLDivElement>(null);
  const id = useId();
  const rows = useRows(table, { sort, filters });
  const count = Math.min(rows.total, SCROLLED_MAX);
  const columns = useMemo(() => widths(table), [table]);
  const template = columns.map((width) => `${width}ch`).join(" ");
  const offsets = useMemo(
    () => columns.map((_, at) => columns.slice(0, at).reduce((sum, width) => sum + width, 0)),
    [columns],
  );
  const virtual = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: 10,
    scrollPaddingStart: HEAD_PX,
  });
  const items = virtual.getVirtualItems();
  const first = items[0]?.index ?? 0;
  const last = items.at(-1)?.index ?? 0;
  const { want } = rows;
  useEffect(() => {
    if (count > 0) want(first, last);
  });

  useEffect(() => {
    const box = scroller.current;
    if (!box) return;
    const observer = new IntersectionObserver(
      (entries) => entries.some((each) => each.isIntersecting) && setNear(true),
    );
    observer.observe(box);
    return () => observer.disconnect();
  }, []);

  const go = (row: number, column: number) => {
    const next = {
      row: Math.max(0, Math.min(count - 1, row)),
      column: Math.max(0, Math.min(table.columns.length - 1, column)),
    };
    setActive(next);
    virtual.scrollToIndex(next.row);
  };
  const copy = (content: string, words: string) => {
    navigator.clipboard.writeText(content).then(
      () => setCopied(words),
      () => setCopied("The browser does not let the page copy."),
    );
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const { row, column } = active;
    const steps: Record<string, () => void> = {
      ArrowUp: () => go(row - 1, column),
      ArrowDown: () => go(row + 1, column),
      ArrowLeft: () => go(row, column - 1),
      ArrowRight: () => go(row, column + 1),
      PageUp: () => go(row - ROWS_SHOWN_MAX, column),
      PageDown: () => go(row + ROWS_SHOWN_MAX, column),
      Home: () => go(event.ctrlKey ? 0 : row, 0),
      End: () => go(event.ctrlKey ? count - 1 : row, table.columns.length - 1),
    };
    const step = steps[event.key];
    if (step) step();
    else if ((event.ctrlKey || event.metaKey) && event.key === "c" && String(getSelection()) === "")
      copy(shown(rows.at(row)?.[column]), "Value copied");
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const filterOf = (column: number) => filters.find((each) => each.column === column);
  const apply = (column: number, filter: TableFilter | null) => {
    setFilters([...filters.filter((each) => each.column !== column), ...(filter ? [filter] : [])]);
    setEditing(null);
    virtual.scrollToIndex(0);
  };
  const sticky = (at: number) => (at < table.index ? { left: `${offsets[at]}ch` } : undefined);
  const edited = editing === null ? undefined : table.columns[editing];

  return (
    <div className="card table-card">
      {edited && editing !== null && (
        <Filter
          key={editing}
          column={edited}
          at={editing}
          now={filterOf(editing)}
          onApply={(filter) => apply(editing, filter)}
          onClose={() => setEditing(null)}
        />
      )}
      <div
        ref={scroller}
        className="table-scroll"
        role="grid"
        tabIndex={0}
        aria-label="Table"
        aria-rowcount={rows.total + 1}
        aria-colcount={table.columns.length}
        aria-activedescendant={count > 0 ? `${id}-${active.row}-${active.column}` : undefined}
        style={{ maxHeight: HEAD_PX + ROW_PX * ROWS_SHOWN_MAX + 14 }}
        onKeyDown={onKeyDown}
      >
        <div className="table-head" role="row" style={{ gridTemplateColumns: template }} aria-rowindex={1}>
          {table.columns.map((column, at) => {
            const order = sort.find((each) => each.column === at);
            return (
              <div
                key={at}
                role="columnheader"
                aria-sort={!order ? "none" : order.descending ? "descending" : "ascending"}
                data-index={at < table.index ? "" : undefined}
                data-numeric={isNumeric(column.kind) ? "" : undefined}
                style={sticky(at)}
              >
                <span className="table-name">
                  <button
                    type="button"
                    title={`Sort by ${column.name}`}
                    onClick={() => {
                      setSort(nextSort(sort, at));
                      virtual.scrollToIndex(0);
                    }}
                  >
                    {column.name || " "}
                    {order && <i aria-hidden="true">{order.descending ? " ↓" : " ↑"}</i>}
                  </button>
                  <button
                    type="button"
                    className="table-funnel"
                    data-on={filterOf(at) ? "" : undefined}
                    aria-label={`Filter ${column.name}`}
                    onClick={() => setEditing(editing === at ? null : at)}
                  >
                    <svg viewBox="0 0 12 12" width="11" height="11" aria-hidden="true">
                      <path d="M1 2h10L7.2 6.6V10L4.8 11V6.6z" />
                    </svg>
                  </button>
                </span>
                <span className="table-type">{column.type}</span>
                {at >= table.index && at < table.index + PROFILED_MAX && (
                  <Histogram table={table.table} column={at} near={near} />
                )}
              </div>
            );
          })}
        </div>
        <div className="table-rows" role="rowgroup" style={{ height: virtual.getTotalSize() }}>
          {items.map((item) => {
            const row = rows.at(item.index);
            return (
              <div
                key={item.key}
                role="row"
                className="table-row"
                aria-rowindex={item.index + 2}
                style={{ gridTemplateColumns: template, height: ROW_PX, transform: `translateY(${item.start}px)` }}
              >
                {table.columns.map((column, at) => (
                  <div
                    key={at}
                    id={`${id}-${item.index}-${at}`}
                    role={at < table.index ? "rowheader" : "gridcell"}
                    data-index={at < table.index ? "" : undefined}
                    data-numeric={isNumeric(column.kind) ? "" : undefined}
                    data-null={row && (row[at] ?? null) === null ? "" : undefined}
                    data-active={active.row === item.index && active.column === at ? "" : undefined}
                    style={sticky(at)}
                    title={row && String(row[at] ?? "").length > columns[at]! - 2 ? shown(row[at]) : undefined}
                    onClick={() => setActive({ row: item.index, column: at })}
                  >
                    {row ? shown(row[at]) : ""}
                  </div>
                ))}
              </div>
            );
          })}
        </div>
      </div>
      <div className="table-foot">
        <span>{footOf(table, rows.total, filters.length > 0)}</span>
        {filters.map((filter) => (
          <button
            key={filter.column}
            type="button"
            className="chip"
            title="Remove this filter"
            onClick={() => apply(filter.column, null)}
          >
            {table.columns[filter.column]?.name} {opWords(filter.op)}{" "}
            {shown(filter.value ?? undefined).replace("–", "")} ×
          </button>
        ))}
        <span className="grow" />
        <span role="status">{rows.trouble || copied}</span>
        <button
          type="button"
          className="btn ghost"
          onClick={() =>
            copy(tsv(table.columns, rows.loaded()), `${rows.loaded().length.toLocaleString("en")} rows copied`)
          }
        >
          Copy
        </button>
      </div>
    </div>
  );
}

function footOf(table: Table, total: number, filtered: boolean): string {
  const all = table.total.toLocaleString("en");
  const rows = filtered
    ? `${total.toLocaleString("en")} of ${all} rows`
    : `${all} ${table.total === 1 ? "row" : "rows"}`;
  const named = table.total_columns;
  const data = named - table.index >= 0 ? named : table.columns.length;
  const columns =
    data > table.columns.length ? `, the first ${table.columns.length} of ${data.toLocaleString("en")} columns` : "";
  const cut =
    total > SCROLLED_MAX
      ? `, of which ${SCROLLED_MAX.toLocaleString("en")} can be scrolled to: sort or filter for others`
      : "";
  return rows + columns + cut;
}
