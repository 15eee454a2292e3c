/** The shapes that the server speaks; names and meanings are those of docs/api.md. Times are milliseconds, UTC. */

export type CellType = "python" | "sql" | "markdown";
export type CellStatus = "idle" | "queued" | "running" | "success" | "error" | "blocked" | "stale";
export type RunMode = "automatic" | "lazy";
export type KernelState = "none" | "starting" | "idle" | "busy" | "dead";

export interface Output {
  mime_type: string;
  /** Text; base64 for binary MIME types. Null when the bytes are at `url`. */
  data: string | null;
  url: string | null;
  metadata: Record<string, unknown>;
  display_id: string;
}

export interface CellError {
  name: string;
  message: string;
  traceback: string[];
  /** Line in the cell, from 1; 0: unknown. */
  line: number;
  /** The cell to look at, where that is another one. */
  caused_by: string;
}

export interface CellRun {
  run_id: string;
  revision: number;
  started_at: number;
  duration_ms: number;
}

export interface CellConfig {
  disabled: boolean;
  code_hidden: boolean;
  output_hidden: boolean;
  result_name: string;
  connection: string;
}

export interface Cell {
  id: string;
  type: CellType;
  code: string;
  /** The commit that last changed code, type or existence: what an edit is based on. */
  code_revision: number;
  status: CellStatus;
  stdout: string;
  stderr: string;
  stdout_url: string | null;
  stderr_url: string | null;
  outputs: Output[];
  error: CellError | null;
  reads: string[];
  writes: string[];
  stale_since: number;
  run: CellRun | null;
  config: CellConfig;
}

export interface Notebook {
  id: string;
  name: string;
  revision: number;
  has_connection: boolean;
  created_at: number;
  updated_at: number;
  deleted_at: number | null;
  run_mode: RunMode;
  kernel: KernelState;
  read_only: string | null;
  cells: Cell[];
}

export interface NotebookHeader {
  id: string;
  name: string;
  revision: number;
  created_at: number;
  updated_at: number;
  deleted_at: number | null;
}

export interface HistoryEntry {
  revision: number;
  commit_id: string;
  at: number;
  authors: string[];
  summary: string;
  kinds: string[];
}

export interface Patch {
  name?: string;
  run_mode?: RunMode;
  deleted_at?: number | null;
  updated_at?: number;
  cells?: Record<string, Partial<Cell>>;
  removed?: string[];
  order?: string[];
}

export interface CommitMessage {
  type: "commit";
  revision: number;
  commit_id: string;
  at: number;
  authors: string[];
  summary: string;
  changes: { kind: string; author: string; at: number; cell_id?: string }[];
  patch: Patch;
}

export interface Transient {
  status: CellStatus;
  started_at?: number;
}

export type AckMessage = { type: "ack"; id: string; revision?: number; cell_id?: string; run_id?: string };
export type ProblemMessage = {
  type: "problem";
  id?: string;
  status: number;
  title: string;
  detail: string;
  current?: Cell | null;
};

export type ServerMessage =
  | { type: "snapshot"; notebook: Notebook }
  | {
      type: "ready";
      revision: number;
      kernel: KernelState;
      cells: Record<string, Transient>;
      read_only: string | null;
      run_mode: RunMode;
    }
  | CommitMessage
  | { type: "status"; cells: Record<string, Transient> }
  | { type: "stream"; cell_id: string; name: "stdout" | "stderr"; text: string }
  | { type: "output"; cell_id: string; output: Output }
  | { type: "replace"; cell_id: string; output: Output }
  | { type: "clear"; cell_id: string }
  | { type: "run"; run_id: string; state: "started" | "finished"; cell_ids: string[] }
  | { type: "kernel"; state: KernelState }
  | { type: "saving"; state: "failing" | "ok"; detail?: string }
  | AckMessage
  | ProblemMessage;

export type RunScope = "cells" | "stale" | "all" | "above" | "below";

/** Questions about the kernel's values, without `id`. Positions count code points. */
export type Question =
  | { type: "complete"; cell_id: string; code: string; position: number }
  | { type: "inspect"; cell_id: string; code: string; position: number }
  | { type: "variables" }
  | { type: "table_page"; table: string; offset: number; limit: number; sort: TableSort[]; filters: TableFilter[] }
  | { type: "table_column"; table: string; column: number };

export interface Answers {
  complete: CompletionAnswer;
  inspect: InspectionAnswer;
  variables: VariablesAnswer;
  table_page: TablePage;
  table_column: TableProfile;
}

export interface CompletionAnswer {
  matches: { text: string; type: string }[];
  start: number;
  end: number;
}

export interface InspectionAnswer {
  found: boolean;
  name: string;
  kind: string;
  signature: string;
  doc: string;
  /** Which argument is being written; null: this is not a call. */
  parameter: number | null;
}

export interface Variable {
  name: string;
  type: string;
  shape: string;
  value: string;
  size: number | null;
  cell_id: string;
}

export interface VariablesAnswer {
  variables: Variable[];
  total: number;
}

export type TableKind = "integer" | "number" | "boolean" | "text" | "time" | "duration" | "category" | "other";
export type TableValue = string | number | boolean | null;

export interface TableSort {
  column: number;
  descending: boolean;
}

export interface TableFilter {
  column: number;
  op: "contains" | "not_contains" | "eq" | "ne" | "lt" | "le" | "gt" | "ge" | "null" | "not_null";
  value?: TableValue;
}

export interface TablePage {
  rows: TableValue[][];
  total: number;
  offset: number;
}

export interface TableProfile {
  kind: TableKind;
  /** Counts of equal parts between `low` and `high`, or the most frequent values. */
  bins: (number | { value: TableValue; count: number })[];
  low: TableValue;
  high: TableValue;
  nulls: number;
  distinct: number | null;
}

/** What the page asks of the server, without `id` and `key`. */
export type Request =
  | { type: "insert_cell"; cell_type: CellType; code: string; after_cell_id: string | null; cell_id: string }
  | { type: "edit_cell"; cell_id: string; code: string; expected_revision: number; cell_type?: CellType }
  | { type: "delete_cell"; cell_id: string }
  | { type: "move_cell"; cell_id: string; after_cell_id: string | null }
  | { type: "configure_cell"; cell_id: string; config: Partial<CellConfig> }
  | { type: "rename"; name: string }
  | { type: "configure"; run_mode: RunMode }
  | { type: "run"; cell_ids?: string[]; scope?: RunScope }
  | { type: "interrupt" }
  | { type: "restart" }
  | { type: "restore"; revision: number; expected_revision?: number };
