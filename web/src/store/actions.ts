import { newId } from "../wire/ids";
import type { CellConfig, CellType, Request, RunMode } from "../wire/types";
import { descendantsOf } from "./graph";
import { Refused } from "./outbox";
import { type Session, typeOf } from "./session";

/** A deleted cell, to be put back. */
export interface DeletedCell {
  type: CellType;
  code: string;
  after: string | null;
  label: string;
}

/** What a reader can do with a notebook; the keyboard, the buttons and the undo toasts all come here. */
export class Actions {
  constructor(
    private readonly session: Session,
    private readonly say: (words: string, how: "aloud" | "shown") => void,
    private readonly offerUndo: (words: string, undo: () => void) => void,
  ) {}

  insert(type: CellType, after: string | null, code = ""): string {
    const id = newId(10);
    void this.session.pending.operate({
      type: "insert_cell",
      cell_type: type,
      code,
      after_cell_id: after,
      cell_id: id,
    });
    this.session.focus.want(id, "edit");
    return id;
  }

  insertBeside(type: CellType, id: string, place: "above" | "below"): void {
    this.insert(type, place === "below" ? id : this.neighbour(id, -1));
  }

  remove(id: string): void {
    const { session } = this;
    const view = session.view(id);
    if (!view) return;
    const deleted: DeletedCell = {
      type: typeOf(view),
      code: view.draft?.text ?? view.cell.code,
      after: this.neighbour(id, -1),
      label: session.numbers.has(id) ? `Cell ${session.numbers.get(id)}` : "Text cell",
    };
    const next = this.neighbour(id, 1) ?? this.neighbour(id, -1);
    const isGhost = session.pending.ghosts.delete(id);
    session.edits.drop(id);
    if (!isGhost) void session.pending.operate({ type: "delete_cell", cell_id: id });
    session.refreshOrder();
    if (next !== null) session.focus.want(next, "command");
    this.offerUndo(`${deleted.label} deleted`, () => this.insert(deleted.type, deleted.after, deleted.code));
  }

  move(id: string, by: -1 | 1): void {
    const { order } = this.session;
    const index = order.indexOf(id);
    const target = index + by;
    if (index < 0 || target < 0 || target >= order.length) return;
    const after = by === 1 ? order[target] : order[target - 1];
    const { mode } = this.session.focus.ui(id);
    void this.session.pending.operate({ type: "move_cell", cell_id: id, after_cell_id: after ?? null });
    this.session.focus.want(id, mode ?? "command");
    this.say(`Moved to place ${target + 1} of ${order.length}`, "aloud");
  }

  convert(id: string, type: CellType): void {
    if (typeOf(this.session.view(id)) !== type) this.session.edits.convert(id, type);
  }

  /** Sends the cell's newest text first, then runs it. */
  async run(ids: readonly string[]): Promise<void> {
    const runnable = ids.filter((id) => typeOf(this.session.view(id)) !== "markdown");
    if (runnable.length > 0) await this.start(runnable, { type: "run", cell_ids: [...runnable] });
  }

  async runAll(): Promise<void> {
    await this.run(this.session.order);
  }

  async runStale(): Promise<void> {
    await this.start(this.session.order, { type: "run", scope: "stale" });
  }

  /** Runs the cells before this one, or this one and those behind it. */
  async runBeside(id: string, scope: "above" | "below"): Promise<void> {
    const { order } = this.session;
    const at = order.indexOf(id);
    const ids = scope === "above" ? order.slice(0, at) : order.slice(at);
    await this.start(ids, { type: "run", scope, cell_ids: [id] });
  }

  /** `again`: the first one did not end the cell, so that this one ends the kernel. */
  interrupt(again = false): void {
    this.command({ type: "interrupt" }, again ? "The kernel is ended" : "Interrupt sent");
  }

  restart(): void {
    this.command({ type: "restart" }, "The kernel restarts; its variables are gone");
  }

  setRunMode(run_mode: RunMode): void {
    this.command(
      { type: "configure", run_mode },
      run_mode === "lazy" ? "Lazy: nothing runs by itself" : "Automatic: what depends on a run cell follows",
    );
  }

  configureCell(id: string, config: Partial<CellConfig>): void {
    this.command({ type: "configure_cell", cell_id: id, config }, "");
  }

  rename(name: string): void {
    const trimmed = name.trim();
    if (trimmed !== "" && trimmed !== this.session.name)
      void this.session.pending.operate({ type: "rename", name: trimmed });
  }

  restore(revision: number): void {
    const head = this.session.document.revision ?? 0;
    this.session.edits.flushAll();
    this.command({ type: "restore", revision, expected_revision: head }, `The notebook is as it was at r ${revision}`);
    void this.session.history.lookAt(null);
  }

  keepMine(id: string): void {
    const { edits, pending } = this.session;
    const draft = edits.get(id);
    if (draft?.trouble?.kind !== "conflict") return;
    const { theirs } = draft.trouble;
    if (theirs) {
      const head = this.session.document.cells.get(id)?.cell.code_revision ?? 0;
      edits.keepMine(id, Math.max(theirs.code_revision, head));
    } else {
      const ghost = pending.ghosts.get(id);
      const type = draft.type ?? ghost?.cell.type ?? "python";
      pending.ghosts.delete(id);
      edits.drop(id);
      this.insert(type, ghost?.after ?? null, draft.text);
    }
    this.session.refreshOrder();
  }

  takeTheirs(id: string): void {
    const after = this.neighbour(id, 1) ?? this.neighbour(id, -1);
    const wasGhost = this.session.pending.ghosts.delete(id);
    this.session.edits.drop(id);
    this.session.refreshOrder();
    const focus = wasGhost ? after : id;
    if (focus !== null) this.session.focus.want(focus, "command");
  }

  /** The cells that would run if this one were run, as far as the page knows. */
  planOf(id: string): Set<string> {
    if (this.session.document.meta?.run_mode === "lazy") return new Set([id]);
    return descendantsOf(id, this.session.cellsInOrder());
  }

  neighbour(id: string, by: -1 | 1): string | null {
    const { order } = this.session;
    const index = order.indexOf(id);
    return index < 0 ? null : (order[index + by] ?? null);
  }

  private async start(ids: readonly string[], request: Request): Promise<void> {
    const { session } = this;
    if (session.connection !== "live") {
      this.say("Offline: nothing can run until the connection is back", "shown");
      return;
    }
    const ready = await Promise.all(ids.filter((id) => session.edits.get(id)).map((id) => session.edits.sentOut(id)));
    if (ready.includes(false)) {
      this.say("Not run: decide the conflict first", "shown");
      return;
    }
    this.command(request, "");
  }

  private command(request: Request, done: string): void {
    this.session.outbox.request(request).then(
      () => done !== "" && this.say(done, "shown"),
      (reason: unknown) => this.say(reason instanceof Refused ? reason.message : String(reason), "shown"),
    );
  }
}
