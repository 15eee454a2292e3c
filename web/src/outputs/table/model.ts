import type { TableFilter, TableKind, TableSort, TableValue } from "../../wire/types";

export interface Column {
  name: string;
  type: string;
  kind: TableKind;
}

/** A table as its output has it: the first rows, and how many there are. */
export interface Table {
  table: string;
  columns: Column[];
  /** How many of the columns are the index. */
  index: number;
  rows: TableValue[][];
  total: number;
  total_columns: number;
}

export const PAGE = 200;
/** Browsers cannot scroll any height: further rows are found by sorting and filtering. */
export const SCROLLED_MAX = 500_000;
const CHARS_MIN = 5;
const CHARS_MAX = 34;
/** Beside the text of a header: its sort mark and its filter. */
const HEAD_CHARS = 5;

export function parseTable(text: string): Table | null {
  try {
    const found = JSON.parse(text) as Table;
    return Array.isArray(found.columns) && Array.isArray(found.rows) ? found : null;
  } catch {
    return null;
  }
}

export const isNumeric = (kind: TableKind) => kind === "integer" || kind === "number" || kind === "duration";

/** A value as it stands in its cell. */
export function shown(value: TableValue | undefined): string {
  if (value === null || value === undefined) return "–";
  if (typeof value === "boolean") return value ? "true" : "false";
  return String(value);
}

/** The width of each column in characters, by what the first rows need. */
export function widths(table: Table): number[] {
  return table.columns.map((column, at) => {
    const longest = Math.max(0, ...table.rows.map((row) => shown(row[at]).length));
    const head = Math.max(column.name.length + HEAD_CHARS, column.type.length);
    const last = at < table.index && column.kind === "integer" ? String(table.total).length : 0;
    return Math.min(CHARS_MAX, Math.max(CHARS_MIN, head, longest, last)) + 2;
  });
}

/** Ascending, descending, as it was. */
export function nextSort(sort: readonly TableSort[], column: number): TableSort[] {
  const now = sort.find((each) => each.column === column);
  if (!now) return [{ column, descending: false }];
  return now.descending ? [] : [{ column, descending: true }];
}

export type Op = TableFilter["op"];

const WORDS: Record<Op, string> = {
  contains: "contains",
  not_contains: "does not contain",
  eq: "is",
  ne: "is not",
  lt: "is below",
  le: "is at most",
  gt: "is above",
  ge: "is at least",
  null: "is missing",
  not_null: "is there",
};

/** What can be asked of a column, the likeliest first. */
export function opsOf(kind: TableKind): Op[] {
  if (kind === "boolean") return ["eq", "ne", "null", "not_null"];
  if (isNumeric(kind) || kind === "time") return ["ge", "le", "eq", "ne", "gt", "lt", "null", "not_null"];
  return ["contains", "not_contains", "eq", "ne", "null", "not_null"];
}

export const opWords = (op: Op) => WORDS[op];
export const needsValue = (op: Op) => op !== "null" && op !== "not_null";

/** Rows as tab-separated text, for a spreadsheet. */
export function tsv(columns: readonly Column[], rows: readonly (readonly TableValue[])[]): string {
  const plain = (value: TableValue | undefined) =>
    value === null || value === undefined ? "" : String(value).replace(/[\t\r\n]+/g, " ");
  const lines = [
    columns.map((column) => plain(column.name)),
    ...rows.map((row) => columns.map((_, at) => plain(row[at]))),
  ];
  return lines.map((line) => line.join("\t")).join("\n");
}

/** The pages that the rows from `first` to `last` lie in. */
export function pagesOf(first: number, last: number): number[] {
  const pages: number[] = [];
  for (let page = Math.floor(first / PAGE); page * PAGE <= last; page += 1) pages.push(page);
  return pages;
}
