import type { Cell, CommitMessage, KernelState, Notebook, Output, Patch, RunMode, Transient } from "../wire/types";
import { cellTopic, type Topics } from "./topics";

/** A notebook without its cells. */
export interface Meta {
  id: string;
  name: string;
  revision: number;
  updated_at: number;
  deleted_at: number | null;
  run_mode: RunMode;
  kernel: KernelState;
  read_only: string | null;
}

/** What a cell does right now: shown until the commit with its result arrives. */
export interface Live {
  status: "queued" | "running";
  /** By this browser's clock. */
  startedAt: number;
  stdout: string;
  stderr: string;
  outputs: readonly Output[];
}

export interface Entry {
  readonly cell: Cell;
  readonly live: Live | null;
}

const STREAM_CHARS_MAX = 2_000_000;
/** Fields whose change means that a run has ended; `stale` alone does not (somebody edited a running cell). */
const RESULT_FIELDS = ["run", "outputs", "stdout", "stderr", "error"] as const;
const FINAL = new Set(["success", "error", "blocked", "idle"]);

function endsRun(change: Partial<Cell>, merged: Cell): boolean {
  if (merged.status === "running" || merged.status === "queued") return false;
  return RESULT_FIELDS.some((field) => field in change) || (change.status !== undefined && FINAL.has(change.status));
}

const emptyLive = (status: Live["status"], startedAt: number): Live => ({
  status,
  startedAt,
  stdout: "",
  stderr: "",
  outputs: [],
});

/** The notebook as committed, plus what runs now. Entries are replaced, never changed, so a reader may compare them. */
export class NotebookDocument {
  meta: Meta | null = null;
  order: readonly string[] = [];
  readonly cells = new Map<string, Entry>();

  constructor(private readonly topics: Topics) {}

  get revision(): number | null {
    return this.meta?.revision ?? null;
  }

  applySnapshot(notebook: Notebook): void {
    const { cells, ...rest } = notebook;
    const before = new Set(this.cells.keys());
    this.cells.clear();
    for (const cell of cells) this.cells.set(cell.id, { cell, live: null });
    this.order = cells.map((cell) => cell.id);
    this.meta = rest;
    for (const id of new Set([...before, ...this.order])) this.topics.emit(cellTopic(id));
    this.topics.emit("order");
    this.topics.emit("meta");
    this.topics.emit("activity");
  }

  /** Applies a commit if it is the next one. `old`: known already. `gap`: some are missing, connect again. */
  applyCommit(commit: CommitMessage): "applied" | "old" | "gap" {
    if (!this.meta) return "gap";
    if (commit.revision <= this.meta.revision) return "old";
    if (commit.revision > this.meta.revision + 1) return "gap";
    this.applyPatch(commit.patch);
    this.meta = { ...this.meta, revision: commit.revision, updated_at: commit.patch.updated_at ?? commit.at };
    this.topics.emit("meta");
    this.topics.emit("activity");
    return "applied";
  }

  /** A patch holds values, not differences: applying it twice changes nothing. */
  private applyPatch(patch: Patch): void {
    const { cells = {}, removed = [], order, ...meta } = patch;
    if (this.meta) this.meta = { ...this.meta, ...meta };
    for (const id of removed) this.cells.delete(id);
    if (removed.length > 0) this.order = this.order.filter((id) => this.cells.has(id));
    for (const [id, change] of Object.entries(cells)) this.merge(id, change);
    if (order) this.order = order;
    for (const id of removed) this.topics.emit(cellTopic(id));
    for (const id of Object.keys(cells)) this.topics.emit(cellTopic(id));
    if (order || removed.length > 0) this.topics.emit("order");
  }

  private merge(id: string, change: Partial<Cell>): void {
    const before = this.cells.get(id);
    const cell = { ...before?.cell, ...change, id } as Cell; // a new cell's patch has all fields
    const live = before?.live && !endsRun(change, cell) ? before.live : null;
    this.cells.set(id, { cell, live });
  }

  /** An edit of ours was acknowledged: its commit may still be on the way. */
  acknowledgeCode(id: string, change: Pick<Cell, "code" | "code_revision"> & Partial<Pick<Cell, "type">>): void {
    const entry = this.cells.get(id);
    if (!entry || entry.cell.code_revision >= change.code_revision) return;
    this.put(id, { ...entry, cell: { ...entry.cell, ...change } });
  }

  setMeta(change: Partial<Meta>): void {
    if (!this.meta) return;
    this.meta = { ...this.meta, ...change };
    this.topics.emit("meta");
  }

  /** What is queued or running now; all other cells are at rest. */
  applyReady(running: Record<string, Transient>): void {
    for (const [id, entry] of this.cells) {
      if (entry.live && !(id in running)) this.put(id, { ...entry, live: null });
    }
    this.applyStatus(running);
  }

  applyStatus(cells: Record<string, Transient>): void {
    for (const [id, { status, started_at }] of Object.entries(cells)) {
      const entry = this.cells.get(id);
      if (!entry) continue;
      if (status === "queued") this.put(id, { ...entry, live: emptyLive("queued", 0) });
      else if (status === "running") {
        const now = Date.now();
        const startedAt = started_at ? Math.min(started_at, now) : now;
        this.put(id, { ...entry, live: emptyLive("running", startedAt) });
      } else this.put(id, { ...entry, live: null });
    }
    this.topics.emit("activity");
  }

  /** A run is over: what it left in the queue is not coming. */
  applyRunFinished(ids: readonly string[]): void {
    for (const id of ids) {
      const entry = this.cells.get(id);
      if (entry?.live) this.put(id, { ...entry, live: null });
    }
  }

  appendStream(id: string, name: "stdout" | "stderr", text: string): void {
    this.updateLive(id, (live) => ({ ...live, [name]: (live[name] + text).slice(-STREAM_CHARS_MAX) }));
  }

  appendOutput(id: string, output: Output): void {
    this.updateLive(id, (live) => ({ ...live, outputs: [...live.outputs, output] }));
  }

  /** Outputs with this `display_id` become this one, in this run and in committed results. */
  replaceOutput(id: string, output: Output): void {
    const swap = (outputs: readonly Output[]) =>
      outputs.map((each) => (each.display_id !== "" && each.display_id === output.display_id ? output : each));
    const entry = this.cells.get(id);
    if (!entry) return;
    const live = entry.live ? { ...entry.live, outputs: swap(entry.live.outputs) } : null;
    this.put(id, { cell: { ...entry.cell, outputs: swap(entry.cell.outputs) }, live });
  }

  clearOutputs(id: string): void {
    this.updateLive(id, (live) => emptyLive("running", live.startedAt));
  }

  private updateLive(id: string, change: (live: Live) => Live): void {
    const entry = this.cells.get(id);
    if (!entry) return;
    const live = entry.live?.status === "running" ? entry.live : emptyLive("running", Date.now());
    this.put(id, { ...entry, live: change(live) });
  }

  private put(id: string, entry: Entry): void {
    this.cells.set(id, entry);
    this.topics.emit(cellTopic(id));
  }
}
