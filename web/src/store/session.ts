import { getMe, getNotebook, Problem } from "../wire/rest";
import { LiveSocket } from "../wire/socket";
import type { Cell, CellType, CommitMessage, ProblemMessage, ServerMessage } from "../wire/types";
import { NotebookDocument, type Live } from "./document";
import { type Draft, EditQueue } from "./drafts";
import { Focus } from "./focus";
import { History } from "./history";
import { KeptEdits } from "./kept";
import { numbersOf } from "./numbering";
import { freshCell, type Operation, orderWith } from "./operations";
import { Outbox } from "./outbox";
import { PendingOperations } from "./pending";
import { type Saved, savedOf } from "./saved";
import { Questions } from "./questions";
import { StreamBatch } from "./streams";
import { cellTopic, Topics } from "./topics";

export type Connection = "opening" | "live" | "offline" | "unauthorized" | "missing";

/** A cell as the page shows it: the committed one, what runs, and what its reader has typed. */
export interface CellView {
  readonly cell: Cell;
  readonly live: Live | null;
  readonly draft: Draft | null;
}

/** What the cell is, or is being turned into. */
export function typeOf(view: CellView | null): CellType {
  return view?.draft?.type ?? view?.cell.type ?? "python";
}

const ANSWER_OVERDUE_MS = 20_000;
const WATCH_EVERY_MS = 5_000;

/** One open notebook: the document fed by the socket, and the reader's edits on their way to the server. */
export class Session {
  readonly topics = new Topics();
  readonly document = new NotebookDocument(this.topics);
  readonly focus = new Focus(this.topics);
  readonly history: History;
  readonly kept: KeptEdits;
  readonly outbox: Outbox;
  readonly questions: Questions;
  readonly edits: EditQueue;
  readonly pending: PendingOperations;
  connection: Connection = "opening";
  /** Why the page shows nothing, in the server's words. */
  failure = "";
  private storeFailure = "";
  private readonly socket: LiveSocket;
  private readonly streams = new StreamBatch(this.document);
  private readonly views = new Map<string, CellView>();
  private watch: ReturnType<typeof setInterval> | undefined;
  private cachedOrder: readonly string[] = [];
  private cachedNumbers: ReadonlyMap<string, number> = new Map();
  private cachedSaved: Saved = { kind: "opening" };
  private fresh = true;

  constructor(
    readonly id: string,
    storage: Storage = localStorage,
  ) {
    this.history = new History(id, this.topics);
    this.kept = new KeptEdits(id, storage);
    this.socket = new LiveSocket(`/api/ws/notebooks/${encodeURIComponent(id)}`, {
      since: () => this.document.revision,
      message: (message) => this.receive(message),
      closed: () => this.closed(),
    });
    this.outbox = new Outbox(
      (frame) => this.socket.send(frame),
      () => this.refreshSaved(),
    );
    this.questions = new Questions(
      (frame) => this.socket.send(frame),
      () => this.connection === "live",
    );
    this.edits = new EditQueue(
      {
        committed: (cellId) => this.document.cells.get(cellId)?.cell ?? this.pending.landed(cellId),
        request: (request, key) => this.outbox.request(request, key),
        acknowledged: (cellId, sent, revision) => {
          const type = sent.type === null ? {} : { type: sent.type };
          this.document.acknowledgeCode(cellId, { code: sent.text, code_revision: revision, ...type });
        },
        changed: (cellId) => this.draftChanged(cellId),
      },
      this.kept,
    );
    this.pending = new PendingOperations(this.outbox, this.kept, {
      headRevision: () => this.document.revision ?? 0,
      inserted: (cellId, revision) => this.edits.inserted(cellId, revision),
      insertRefused: ({ cell_id, cell_type, code, after_cell_id }) => {
        if (this.edits.get(cell_id)) this.haunt(freshCell(cell_id, cell_type, code), after_cell_id);
      },
      changed: (operation) => this.operationsChanged(operation),
      failed: (reason) => this.failed(reason),
    });
    this.topics.on("order", () => this.refreshOrder());
    this.topics.on("meta", () => this.refreshSaved());
  }

  start(): void {
    this.edits.adoptKept();
    this.pending.adoptKept();
    this.socket.start();
    this.watch = setInterval(() => {
      if (this.outbox.overdueMs(Date.now()) > ANSWER_OVERDUE_MS) this.socket.drop();
    }, WATCH_EVERY_MS);
  }

  stop(): void {
    this.edits.flushAll();
    clearInterval(this.watch);
    this.streams.stop();
    this.socket.stop();
  }

  // --- what the page reads ---------------------------------------------------------------------------------------

  view(id: string): CellView | null {
    const entry = this.document.cells.get(id);
    const cell = entry?.cell ?? this.pending.provisional(id);
    if (!cell) return null;
    const live = entry?.live ?? null;
    const draft = this.edits.get(id);
    const known = this.views.get(id);
    if (known?.cell === cell && known.live === live && known.draft === draft) return known;
    const view: CellView = { cell, live, draft };
    this.views.set(id, view);
    return view;
  }

  get order(): readonly string[] {
    return this.cachedOrder;
  }

  get numbers(): ReadonlyMap<string, number> {
    return this.cachedNumbers;
  }

  get saved(): Saved {
    return this.cachedSaved;
  }

  get name(): string {
    const renames = this.pending.all.filter((each) => each.type === "rename");
    return renames.at(-1)?.name ?? this.document.meta?.name ?? "";
  }

  /** Cells in page order as the page shows them; those that are on their way included. */
  cellsInOrder(): Cell[] {
    return this.order.flatMap((id) => this.view(id)?.cell ?? []);
  }

  // --- what the page does ----------------------------------------------------------------------------------------

  private failed(reason: unknown): void {
    this.onFailure(reason instanceof Error ? reason.message : String(reason));
  }

  /** Set by the shell: says in words what was refused. */
  onFailure: (reason: string) => void = () => undefined;
  /** Set by the shell: hears of each commit, after it was applied. */
  onCommit: (commit: CommitMessage) => void = () => undefined;

  // --- what the server says --------------------------------------------------------------------------------------

  private receive(message: ServerMessage): void {
    if (message.type !== "stream" && message.type !== "output") this.streams.flush();
    switch (message.type) {
      case "snapshot":
        this.document.applySnapshot(message.notebook);
        break;
      case "ready":
        this.becameLive(message);
        break;
      case "commit":
        this.receiveCommit(message);
        break;
      case "status":
        this.document.applyStatus(message.cells);
        break;
      case "stream":
        this.streams.text(message.cell_id, message.name, message.text);
        break;
      case "output":
        this.streams.output(message.cell_id, message.output);
        break;
      case "replace":
        this.document.replaceOutput(message.cell_id, message.output);
        break;
      case "clear":
        this.document.clearOutputs(message.cell_id);
        break;
      case "run":
        if (message.state === "finished") this.document.applyRunFinished(message.cell_ids);
        break;
      case "kernel":
        this.document.setMeta({ kernel: message.state });
        break;
      case "saving":
        this.storeFailure = message.state === "failing" ? (message.detail ?? "the store does not answer") : "";
        this.refreshSaved();
        break;
      case "ack":
        if (!this.questions.answered(message)) this.outbox.acknowledged(message);
        break;
      case "problem":
        this.receiveProblem(message);
        break;
    }
  }

  private becameLive(message: Extract<ServerMessage, { type: "ready" }>): void {
    const { kernel, read_only, run_mode } = message;
    this.document.setMeta({ kernel, read_only, run_mode });
    this.document.applyReady(message.cells);
    this.storeFailure = "";
    this.socket.settled();
    this.setConnection("live");
    this.outbox.opened();
    this.adoptOrphans();
    this.edits.flushAll(this.fresh);
    if (this.fresh) this.history.load().catch((reason: unknown) => this.failed(reason));
    this.fresh = false;
  }

  private receiveCommit(commit: CommitMessage): void {
    const anchors = new Map((commit.patch.removed ?? []).map((id) => [id, this.before(id)] as const));
    const gone = new Map([...anchors.keys()].map((id) => [id, this.document.cells.get(id)?.cell] as const));
    const result = this.document.applyCommit(commit);
    if (result === "gap") this.socket.drop();
    if (result !== "applied") return;
    for (const [id, cell] of gone) {
      if (cell && this.edits.get(id) && !this.pending.isDeleting(id)) this.haunt(cell, anchors.get(id) ?? null);
    }
    for (const id of commit.patch.order ?? []) this.pending.ghosts.delete(id);
    const retyped = Object.values(commit.patch.cells ?? {}).some((change) => change.type !== undefined);
    if (this.pending.reached(commit.revision) || retyped) this.refreshOrder();
    this.history.append(commit);
    this.onCommit(commit);
  }

  /** Texts kept by an earlier page, of cells that do not exist any more: shown at the end, as conflicts. */
  private adoptOrphans(): void {
    for (const [id, draft] of this.edits.entries()) {
      if (this.document.cells.has(id) || this.pending.ghosts.has(id) || this.pending.isInserting(id)) continue;
      this.haunt(
        { ...freshCell(id, draft.type ?? "python", ""), code_revision: draft.base },
        this.document.order.at(-1) ?? null,
      );
    }
    this.refreshOrder();
  }

  /** Keeps a cell that is gone on the page, as a conflict, since it holds text that nobody else has. */
  private haunt(cell: Cell, after: string | null): void {
    this.pending.ghosts.set(cell.id, { cell, after });
    this.edits.orphaned(cell.id);
    this.refreshOrder();
  }

  private receiveProblem(problem: ProblemMessage): void {
    if (this.questions.answered(problem)) return;
    if (problem.id !== undefined) this.outbox.refused(problem);
    else if (problem.status === 401 || problem.status === 403) this.giveUp("unauthorized", problem.detail);
    else if (problem.status === 404 || problem.status === 410) this.giveUp("missing", problem.detail);
  }

  private closed(): void {
    const wasLive = this.connection === "live";
    this.outbox.closed();
    this.questions.closed();
    if (this.connection !== "unauthorized" && this.connection !== "missing") this.setConnection("offline");
    if (!wasLive) void this.probe();
  }

  /** A refused handshake does not say why in a browser: REST does. */
  private async probe(): Promise<void> {
    try {
      await getMe();
      if (this.document.meta === null) await getNotebook(this.id);
    } catch (reason) {
      if (!(reason instanceof Problem)) throw reason;
      if (reason.status === 401 || reason.status === 403) this.giveUp("unauthorized", reason.detail);
      else if (reason.status === 404) this.giveUp("missing", reason.detail);
      else if (reason.status !== 0) this.failure = reason.detail;
      this.topics.emit("connection");
    }
  }

  private giveUp(connection: Connection, detail: string): void {
    this.failure = detail;
    this.setConnection(connection);
    if (connection === "missing") this.socket.stop();
  }

  // --- keeping what is derived up to date ------------------------------------------------------------------------

  private before(id: string): string | null {
    const index = this.order.indexOf(id);
    return index > 0 ? (this.order[index - 1] ?? null) : null;
  }

  private draftChanged(id: string): void {
    this.topics.emit(cellTopic(id));
    const view = this.view(id);
    if (view && (typeOf(view) !== "markdown") !== this.cachedNumbers.has(id)) this.refreshOrder();
    this.refreshSaved();
  }

  private operationsChanged(operation: Operation): void {
    if (operation.type === "rename") this.topics.emit("meta");
    else this.refreshOrder();
    this.refreshSaved();
  }

  refreshOrder(): void {
    const order = orderWith(this.document.order, this.pending.all, this.pending.ghosts);
    const numbers = numbersOf(order, (id) => typeOf(this.view(id)));
    const moved = order.length !== this.cachedOrder.length || order.some((id, index) => id !== this.cachedOrder[index]);
    const renumbered =
      moved ||
      numbers.size !== this.cachedNumbers.size ||
      [...numbers.keys()].some((id) => !this.cachedNumbers.has(id));
    if (!renumbered) return;
    if (moved) this.cachedOrder = order;
    this.cachedNumbers = numbers;
    this.topics.emit("sequence");
  }

  private setConnection(connection: Connection): void {
    this.connection = connection;
    this.topics.emit("connection");
    this.refreshSaved();
  }

  refreshSaved(): void {
    const drafts = this.edits.entries();
    const place = new Map(this.order.map((id, index) => [id, index]));
    const conflicts = drafts.filter(([, draft]) => draft.trouble?.kind === "conflict").map(([id]) => id);
    const refusal = drafts
      .map(([, { trouble }]) => (trouble?.kind === "refused" ? trouble.reason : ""))
      .find((each) => each !== "");
    const saved = savedOf({
      connection: this.connection,
      revision: this.document.revision,
      readOnly: this.document.meta?.read_only ?? null,
      conflicts: conflicts.sort((a, b) => (place.get(a) ?? 0) - (place.get(b) ?? 0)),
      numbers: this.numbers,
      refusal: refusal ?? "",
      outage: this.outbox.outage || this.storeFailure,
      unsent: drafts.length + this.pending.unacknowledged.length,
      kept: this.kept.ok,
    });
    if (JSON.stringify(saved) === JSON.stringify(this.cachedSaved)) return;
    this.cachedSaved = saved;
    this.topics.emit("saved");
  }
}
